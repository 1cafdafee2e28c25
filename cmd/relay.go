// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/mailbox"
)

// newRelay makes the relay between the desk and the mailboxes. open opens the content that lies under a hash.
func newRelay(
	desk *casework.Desk, open func(ctx context.Context, sha256 string) (io.ReadCloser, error), boxes map[string]mailbox.Mailbox,
	log *slog.Logger, clock func() time.Time,
) *mailbox.Relay {
	return mailbox.NewRelay(letters{desk, open}, boxes, log, clock)
}

// letters is the desk as mailbox knows it.
type letters struct {
	*casework.Desk
	open func(ctx context.Context, sha256 string) (io.ReadCloser, error)
}

func (l letters) Letters(ctx context.Context, kind string, after mailbox.Letter, most int) ([]mailbox.Letter, error) {
	found, err := l.Desk.Letters(ctx, kind, casework.Letter{Message: after.ID, SentAt: after.SentAt}, most)
	if err != nil {
		return nil, err
	}
	out := make([]mailbox.Letter, len(found))
	for i, f := range found {
		out[i] = mailbox.Letter{
			ID: f.Message, Case: f.Case, Address: f.MailboxAddress, Subject: f.Subject, Body: f.Body,
			ReplyPolicy: string(f.ReplyPolicy), TrustLevel: f.TrustLevel, SentAt: f.SentAt,
		}
		for _, a := range f.Attachments {
			out[i].Attachments = append(out[i].Attachments, mailbox.Attachment{
				Name: a.Name, MediaType: a.MediaType, SHA256: a.SHA256, Size: a.Size,
				Open: func(ctx context.Context) (io.ReadCloser, error) { return l.open(ctx, a.SHA256) },
			})
		}
	}
	return out, nil
}

// mailboxes reads the file of mailboxes, by kind. Unknown keys in it are refused.
func (c Config) mailboxes() (map[string]mailbox.Mailbox, error) {
	if c.MailboxesFile == "" {
		return nil, nil
	}
	f, err := os.Open(c.MailboxesFile)
	if err != nil {
		return nil, fmt.Errorf("reading the mailboxes: %w", err)
	}
	defer f.Close()
	var list []struct {
		Kind      string `json:"kind"`
		URL       string `json:"url"`
		TokenFile string `json:"tokenFile"`
	}
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		return nil, fmt.Errorf("reading the mailboxes in %s: %w", c.MailboxesFile, err)
	}
	boxes := map[string]mailbox.Mailbox{}
	for _, m := range list {
		if m.Kind == "" || boxes[m.Kind] != nil {
			return nil, fmt.Errorf("the mailboxes in %s: the kind %q is empty or there twice", c.MailboxesFile, m.Kind)
		}
		endpoint, err := connectorAt(m.URL)
		if err != nil {
			return nil, fmt.Errorf("the mailbox %s: %w", m.Kind, err)
		}
		token, err := os.ReadFile(m.TokenFile)
		if err != nil {
			return nil, fmt.Errorf("reading the token of the mailbox %s: %w", m.Kind, err)
		}
		bearer := strings.TrimSpace(string(token))
		if bearer == "" {
			return nil, fmt.Errorf("the mailbox %s has an empty token", m.Kind)
		}
		boxes[m.Kind] = mailbox.HTTP(endpoint, bearer, &http.Client{})
	}
	return boxes, nil
}

// connectorAt reads the address of a connector. Letters travel encrypted, but within this machine.
func connectorAt(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("its url cannot be read")
	}
	if u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, errors.New("its url is not https://host/path, without user and fragment")
	}
	return u, nil
}
