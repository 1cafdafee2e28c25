// SPDX-License-Identifier: EUPL-1.2

package mailboxtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/mailbox"
)

// Suite fails a test for each promise of mailbox.Mailbox that a mailbox breaks. open gives a new and empty one.
func Suite(t *testing.T, open func(t *testing.T) mailbox.Mailbox) {
	t.Helper()
	for _, f := range Faults(t.Context(), func() mailbox.Mailbox { t.Helper(); return open(t) }) {
		t.Error(f)
	}
}

// Faults tells which promises a mailbox breaks.
func Faults(ctx context.Context, open func() mailbox.Mailbox) []string {
	var faults []string
	for _, s := range []struct {
		promise string
		broken  func(context.Context, mailbox.Mailbox) error
	}{
		{"a letter that is provided has a receipt", receipted},
		{"the same letter again has the same receipt", repeated},
		{"the same letter many times at once has one receipt", atOnce},
		{"a letter without an addressee is refused, however often", refused},
		{"what cannot be taken now is not refused for good", busy},
		{"a letter whose attachment is not what it says is not provided, and gets through when it is", damaged},
		{"a caller who has left is told nothing about the letter", left},
		{"errors hold nothing of the letter", silent},
	} {
		if err := s.broken(ctx, open()); err != nil {
			faults = append(faults, s.promise+": "+err.Error())
		}
	}
	return faults
}

// Letter is a letter to an address with these attachments.
func Letter(address string, contents ...string) mailbox.Letter {
	l := mailbox.Letter{
		ID: uuid.Must(uuid.NewV7()), Case: uuid.Must(uuid.NewV7()), Address: address, Subject: "Ihr Antrag (Größe \"XL\")",
		Body: "Guten Tag,\n\nwir haben noch eine Frage.", ReplyPolicy: "MANDATORY", TrustLevel: authz.Substantial,
		SentAt: time.Now().UTC().Truncate(time.Microsecond),
	}
	for i, c := range contents {
		l.Attachments = append(l.Attachments, Attachment(fmt.Sprintf("Anlage %d – \"Übersicht\".txt", i+1), c))
	}
	return l
}

// Attachment is a text as an attachment.
func Attachment(name, content string) mailbox.Attachment {
	sum := sha256.Sum256([]byte(content))
	return mailbox.Attachment{
		Name: name, MediaType: "text/plain", SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content)),
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil },
	}
}

func receipted(ctx context.Context, m mailbox.Mailbox) error {
	long := Letter(Somebody, "", "short", strings.Repeat("long ", 200_000))
	long.Body = strings.Repeat("ß", 50_000)
	for _, l := range []mailbox.Letter{Letter(Somebody), long} {
		got, err := m.Provide(ctx, l)
		if err != nil {
			return err
		}
		for _, at := range []time.Time{got.ProvidedAt, got.NotifiedAt} {
			if at.Before(l.SentAt.Add(-time.Minute)) || at.After(time.Now().Add(time.Minute)) {
				return fmt.Errorf("it says %s", at)
			}
		}
	}
	return nil
}

func same(a, b mailbox.Receipt) error {
	if !a.ProvidedAt.Equal(b.ProvidedAt) || !a.NotifiedAt.Equal(b.NotifiedAt) {
		return fmt.Errorf("%v and %v", a, b)
	}
	return nil
}

func repeated(ctx context.Context, m mailbox.Mailbox) error {
	l := Letter(Somebody, "once")
	first, err := m.Provide(ctx, l)
	if err != nil {
		return err
	}
	other, err := m.Provide(ctx, Letter(Somebody))
	if err != nil {
		return err
	}
	if same(first, other) == nil {
		return errors.New("two letters have one receipt")
	}
	again, err := m.Provide(ctx, l)
	if err != nil {
		return err
	}
	return same(first, again)
}

func atOnce(ctx context.Context, m mailbox.Mailbox) error {
	l := Letter(Somebody, "once")
	var (
		got  [25]mailbox.Receipt
		errs [25]error
		all  sync.WaitGroup
	)
	for i := range got {
		all.Go(func() { got[i], errs[i] = m.Provide(ctx, l) })
	}
	all.Wait()
	for i := range got {
		errs[i] = errors.Join(errs[i], same(got[0], got[i]))
	}
	return errors.Join(errs[:]...)
}

// said tells how a promise was broken by an answer, also by one without an error.
func said(err error) error {
	if err == nil {
		return errors.New("it was provided")
	}
	return fmt.Errorf("it said %w", err)
}

func refused(ctx context.Context, m mailbox.Mailbox) error {
	l := Letter(Nobody, "anything")
	for range 2 {
		if _, err := m.Provide(ctx, l); !errors.Is(err, &problem.Problem{Kind: problem.Invalid}) {
			return said(err)
		}
	}
	return nil
}

func busy(ctx context.Context, m mailbox.Mailbox) error {
	_, err := m.Provide(ctx, Letter(Full, "anything"))
	if p, ok := problem.Of(err); !ok || p.Kind != problem.Busy || p.RetryAfterSeconds == 0 {
		return said(err)
	}
	return nil
}

func damaged(ctx context.Context, m mailbox.Mailbox) error {
	whole := Letter(Somebody, "as it was stored")
	for _, spoil := range []func(*mailbox.Attachment){
		func(a *mailbox.Attachment) { a.Open = Attachment("", "as it was spoilt").Open },
		func(a *mailbox.Attachment) { a.Open = Attachment("", "as it was").Open },
		func(a *mailbox.Attachment) {
			a.Open = func(context.Context) (io.ReadCloser, error) { return nil, errors.New("it is not there") }
		},
	} {
		spoilt := whole
		spoilt.Attachments = []mailbox.Attachment{whole.Attachments[0]}
		spoil(&spoilt.Attachments[0])
		if _, err := m.Provide(ctx, spoilt); err == nil || errors.Is(err, &problem.Problem{Kind: problem.Invalid}) {
			return said(err)
		}
	}
	_, err := m.Provide(ctx, whole)
	return err
}

func left(ctx context.Context, m mailbox.Mailbox) error {
	ctx, leave := context.WithCancel(ctx)
	leave()
	for _, to := range []string{Somebody, Full} {
		if _, err := m.Provide(ctx, Letter(to)); err == nil || errors.Is(err, &problem.Problem{Kind: problem.Invalid}) {
			return said(err)
		}
	}
	return nil
}

func silent(ctx context.Context, m mailbox.Mailbox) error {
	gone, leave := context.WithCancel(ctx)
	leave()
	for _, to := range []string{Nobody, Full, Somebody} {
		l := Letter(to, "the attachment's content")
		_, err := m.Provide(gone, l)
		_, again := m.Provide(ctx, l)
		for _, secret := range []string{l.Address, l.Subject, l.Body, l.Attachments[0].Name, "the attachment's content"} {
			if strings.Contains(fmt.Sprint(err, again), secret) {
				return errors.New("they do")
			}
		}
	}
	return nil
}
