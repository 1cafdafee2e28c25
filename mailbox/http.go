// SPDX-License-Identifier: EUPL-1.2

package mailbox

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"time"

	"github.com/ozg-cloud/platform/internal/problem"
)

// patience is how long a mailbox may take for one letter with everything that hangs on it.
const patience = 2 * time.Minute

// longestAnswer bounds what is read of an answer, in bytes.
const longestAnswer = 64 << 10

// HTTP is a mailbox that is spoken to over HTTP, as docs/mailbox.md says. Every letter is one request with the bearer token;
// redirects are not followed, because the letter would go where nobody has sent it.
func HTTP(endpoint *url.URL, token string, client *http.Client) Mailbox {
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &connector{endpoint.String(), token, &own}
}

type connector struct {
	endpoint, token string
	client          *http.Client
}

func (c *connector) Provide(ctx context.Context, l Letter) (Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	body, end := io.Pipe()
	form := multipart.NewWriter(end)
	written := make(chan error, 1)
	go func() {
		err := write(ctx, form, l)
		written <- err
		_ = end.CloseWithError(err) // never fails
	}()
	got, err := c.send(ctx, form.FormDataContentType(), body, l)
	_ = body.Close() // never fails; an answer may come before everything was read
	if failed := <-written; failed != nil && !errors.Is(failed, io.ErrClosedPipe) {
		err = failed
	}
	return got, err
}

func (c *connector) send(ctx context.Context, contentType string, body io.Reader, l Letter) (Receipt, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, body)
	if err != nil {
		return Receipt{}, errors.New("mailbox: the address of the connector cannot be used")
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Idempotency-Key", l.ID.String())
	got, err := c.client.Do(r)
	if err != nil {
		return Receipt{}, silent(err)
	}
	defer got.Body.Close()
	switch code := got.StatusCode; {
	case code >= 200 && code < 300:
		return receipt(got.Body)
	case code == http.StatusBadRequest, code == http.StatusGone, code == http.StatusUnprocessableEntity:
		// These alone speak of the letter. A wrong token or address, or something on the way there, must not use up what is waiting.
		return Receipt{}, problem.New(problem.Invalid, "mailboxRefused")
	default:
		later, _ := strconv.ParseUint(got.Header.Get("Retry-After"), 10, 31) // missing or unreadable: 0
		return Receipt{}, fmt.Errorf("mailbox: the connector answered with status %d: %w", code,
			&problem.Problem{Kind: problem.Busy, Rule: "notAvailable", RetryAfterSeconds: int(later)})
	}
}

// sheet is the part "letter" of a delivery.
type sheet struct {
	ID          string      `json:"id"`
	Case        string      `json:"case"`
	Address     string      `json:"address"`
	Subject     string      `json:"subject"`
	Body        string      `json:"body"`
	ReplyPolicy string      `json:"replyPolicy"`
	TrustLevel  string      `json:"trustLevel"`
	SentAt      time.Time   `json:"sentAt"`
	Attachments []enclosure `json:"attachments"`
}

type enclosure struct {
	Name      string `json:"name"`
	MediaType string `json:"mediaType"`
	Size      int64  `json:"size"`
	SHA256    string `json:"sha256"`
}

func write(ctx context.Context, form *multipart.Writer, l Letter) error {
	s := sheet{l.ID.String(), l.Case.String(), l.Address, l.Subject, l.Body, l.ReplyPolicy, string(l.TrustLevel), l.SentAt.UTC(), []enclosure{}}
	for _, a := range l.Attachments {
		s.Attachments = append(s.Attachments, enclosure{a.Name, a.MediaType, a.Size, a.SHA256})
	}
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="letter"`}, "Content-Type": {"application/json"},
	})
	if err != nil {
		return err
	}
	if err := json.NewEncoder(part).Encode(s); err != nil {
		return err
	}
	for _, a := range l.Attachments {
		if err := enclose(ctx, form, a); err != nil {
			return err
		}
	}
	return form.Close()
}

// enclose writes an attachment. Content that is not what its row says breaks the request off before its end.
func enclose(ctx context.Context, form *multipart.Writer, a Attachment) error {
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {mime.FormatMediaType("form-data", map[string]string{"name": "attachment", "filename": a.Name})},
		"Content-Type":        {a.MediaType},
	})
	if err != nil {
		return err
	}
	content, err := a.Open(ctx)
	if err != nil {
		return fmt.Errorf("mailbox: opening an attachment: %w", err)
	}
	defer content.Close()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(part, sum), content)
	if err != nil {
		return fmt.Errorf("mailbox: reading an attachment: %w", err)
	}
	if n != a.Size || hex.EncodeToString(sum.Sum(nil)) != a.SHA256 {
		return fmt.Errorf("mailbox: the content %s is not what was stored", a.SHA256)
	}
	return nil
}

// receipt reads an answer. What the connector says instead is not repeated: it may hold personal data.
func receipt(body io.Reader) (Receipt, error) {
	var said struct{ ProvidedAt, NotifiedAt time.Time }
	if err := json.NewDecoder(io.LimitReader(body, longestAnswer)).Decode(&said); err != nil {
		return Receipt{}, errors.New("mailbox: the connector answered without a receipt")
	}
	if said.ProvidedAt.IsZero() || said.NotifiedAt.IsZero() {
		return Receipt{}, errors.New("mailbox: the receipt is not complete")
	}
	return Receipt(said), nil
}

// silent keeps of a failure what cannot repeat what the connector has sent.
func silent(err error) error {
	var (
		network     *net.OpError
		certificate *tls.CertificateVerificationError
	)
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("mailbox: asking the connector: %w", context.Canceled)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("mailbox: asking the connector: %w", context.DeadlineExceeded)
	case errors.As(err, &network):
		return fmt.Errorf("mailbox: asking the connector: %w", network)
	case errors.As(err, &certificate):
		return fmt.Errorf("mailbox: asking the connector: %w", certificate)
	}
	return errors.New("mailbox: the connector gave no answer that could be read")
}
