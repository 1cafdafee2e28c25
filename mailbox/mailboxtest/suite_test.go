// SPDX-License-Identifier: EUPL-1.2

package mailboxtest_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/mailbox"
	"github.com/ozg-cloud/platform/mailbox/mailboxtest"
)

func TestTheFakeKeepsWhatAMailboxPromises(t *testing.T) {
	t.Parallel()
	mailboxtest.Suite(t, func(*testing.T) mailbox.Mailbox { return mailboxtest.New(time.Now) })
}

func TestTheFakeOverHTTPKeepsWhatAMailboxPromises(t *testing.T) {
	t.Parallel()
	mailboxtest.Suite(t, func(t *testing.T) mailbox.Mailbox {
		return mailbox.HTTP(mailboxtest.Serve(t, mailboxtest.New(time.Now)), mailboxtest.Token, &http.Client{})
	})
}

// faulty is a mailbox with a seeded fault.
type faulty func(context.Context, mailbox.Letter) (mailbox.Receipt, error)

func (f faulty) Provide(ctx context.Context, l mailbox.Letter) (mailbox.Receipt, error) {
	return f(ctx, l)
}

func TestTheSuiteFindsWhatItShould(t *testing.T) {
	t.Parallel()
	for promise, seed := range map[string]func(*mailboxtest.Fake) faulty{
		"a letter that is provided has a receipt": func(f *mailboxtest.Fake) faulty {
			return func(ctx context.Context, l mailbox.Letter) (mailbox.Receipt, error) {
				_, err := f.Provide(ctx, l)
				return mailbox.Receipt{}, err
			}
		},
		"the same letter again": func(f *mailboxtest.Fake) faulty {
			return func(ctx context.Context, l mailbox.Letter) (mailbox.Receipt, error) {
				l.ID = uuid.New() // it does not look at the key
				return f.Provide(ctx, l)
			}
		},
		"the same letter many times at once": func(f *mailboxtest.Fake) faulty {
			return func(ctx context.Context, l mailbox.Letter) (mailbox.Receipt, error) {
				got, err := f.Provide(ctx, l)
				if k := f.Kept(l.ID); k != nil {
					got.ProvidedAt = got.ProvidedAt.Add(time.Duration(k.Times))
				}
				return got, err
			}
		},
		"a letter without an addressee": func(f *mailboxtest.Fake) faulty {
			return func(ctx context.Context, l mailbox.Letter) (mailbox.Receipt, error) {
				got, err := f.Provide(ctx, l)
				if errors.Is(err, &problem.Problem{Kind: problem.Invalid}) {
					err = errors.New("something is wrong")
				}
				return got, err
			}
		},
		"what cannot be taken now": func(f *mailboxtest.Fake) faulty {
			return func(ctx context.Context, l mailbox.Letter) (mailbox.Receipt, error) {
				got, err := f.Provide(ctx, l)
				if errors.Is(err, &problem.Problem{Kind: problem.Busy}) {
					err = problem.New(problem.Invalid, "mailboxRefused")
				}
				return got, err
			}
		},
		"a letter whose attachment is not what it says": func(f *mailboxtest.Fake) faulty {
			return func(ctx context.Context, l mailbox.Letter) (mailbox.Receipt, error) {
				l.Attachments = nil
				return f.Provide(ctx, l)
			}
		},
		"a caller who has left": func(f *mailboxtest.Fake) faulty {
			return func(ctx context.Context, l mailbox.Letter) (mailbox.Receipt, error) {
				if ctx.Err() != nil {
					return mailbox.Receipt{}, problem.New(problem.Invalid, "mailboxRefused")
				}
				return f.Provide(ctx, l)
			}
		},
		"errors hold nothing of the letter": func(f *mailboxtest.Fake) faulty {
			return func(ctx context.Context, l mailbox.Letter) (mailbox.Receipt, error) {
				got, err := f.Provide(ctx, l)
				if err != nil {
					err = errors.Join(err, errors.New("for "+l.Address))
				}
				return got, err
			}
		},
	} {
		found := strings.Join(mailboxtest.Faults(t.Context(), func() mailbox.Mailbox { return seed(mailboxtest.New(time.Now)) }), "\n")
		if !strings.Contains(found, promise) {
			t.Errorf("nobody finds that %q is broken, only %q", promise, found)
		}
	}
}
