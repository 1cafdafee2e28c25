// SPDX-License-Identifier: EUPL-1.2

package partners

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/internal/seal"
	"github.com/ozg-cloud/platform/schema"
)

// Signer signs what is sent: a compact JWS with detached content; authz.Signet is one.
type Signer interface {
	Sign(body []byte, typ, id string, at time.Time) (string, error)
}

// SigningSeed is the seed of the key that signs, derived from the secret of the house: the same on every replica, and another with another secret.
func SigningSeed(secret []byte) []byte { return seal.Key(secret, "webhook signature") }

// signatureType is the typ of signatures, so that they are taken for nothing else.
const signatureType = "ozg-webhook+jws"

// envelope is a frame on its way.
type envelope struct {
	webhook, delivery uuid.UUID
	url               string
	cursor            string
	attempt           int
	body              []byte
}

// outcome is what came of an attempt.
type outcome struct {
	failure string // empty: it was taken
	status  int    // zero: there was no answer
	again   time.Duration
}

// mostAnswer is how much of an answer is read, in bytes, before the connection is given up. Nothing of it is looked at.
const mostAnswer = 16 << 10

// send makes one attempt. It never tells anybody the address, which may hold a secret, nor what the receiver has answered but the status.
func (e envelope) send(ctx context.Context, post *http.Client, signer Signer, now time.Time) (outcome, error) {
	delivery := schema.ID(catalog.Types["WebhookDelivery"].Number, e.delivery)
	signature, err := signer.Sign(e.body, signatureType, delivery, now)
	if err != nil {
		return outcome{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(e.body))
	if err != nil {
		return outcome{failure: "ADDRESS"}, nil //nolint:nilerr // the error names the address
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "ozg-cloud", "OZG-Signature": signature, "OZG-Delivery": delivery,
		"OZG-Webhook": schema.ID(catalog.Types["Webhook"].Number, e.webhook), "OZG-Cursor": e.cursor, "OZG-Attempt": strconv.Itoa(e.attempt),
	} {
		r.Header.Set(name, value)
	}
	got, err := post.Do(r)
	if err != nil {
		return outcome{failure: failureOf(err)}, nil
	}
	defer func() { _ = got.Body.Close() }() // it was only read
	_, _ = io.CopyN(io.Discard, got.Body, mostAnswer)
	o := outcome{status: got.StatusCode}
	if got.StatusCode < 200 || got.StatusCode > 299 {
		o.failure = "STATUS"
		if seconds, err := strconv.Atoi(got.Header.Get("Retry-After")); err == nil && seconds > 0 {
			o.again = time.Duration(min(seconds, 24*60*60)) * time.Second
		}
	}
	return o, nil
}

func failureOf(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, errClosed):
		return "ADDRESS"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "TIMEOUT"
	}
	return "CONNECTION"
}
