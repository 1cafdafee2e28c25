// SPDX-License-Identifier: EUPL-1.2

package content

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/internal/problem"
)

// uploadLife is how long an upload waits for a verb that takes it.
const uploadLife = 24 * time.Hour

// received is the answer to an upload.
type received struct {
	ID        uuid.UUID `json:"id"`
	Name      string    `json:"name"`
	MediaType string    `json:"mediaType"`
	Size      int64     `json:"size"`
	SHA256    string    `json:"sha256"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// Upload takes the body of a request as it is, with its file name in X-Filename (UTF-8, percent-encoded), and answers 201 with the id
// of the upload, which a verb takes within a day. Only the subject that handed it in can use it. The same content again makes another upload.
// A Content-Type is not looked at. When an error is returned, nothing has been answered yet and nothing can be used.
func (d *Desk) Upload(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if _, err := uploader(ctx); err != nil {
		return err
	}
	name, err := url.PathUnescape(r.Header.Get("X-Filename"))
	if err != nil {
		return problem.New(problem.Invalid, "pattern", "name")
	}
	if r.ContentLength > d.uploadLimit {
		return problem.New(problem.Invalid, "tooLarge")
	}
	staged, err := d.store.Stage(ctx, name, r.Body, d.uploadLimit)
	if err != nil {
		return err
	}
	defer staged.Drop()
	if err := staged.Keep(ctx); err != nil {
		return err
	}
	var up *ent.Upload
	err = authz.Current(ctx, func() error {
		p, err := uploader(ctx)
		if err != nil {
			return err
		}
		now := d.now()
		up, err = d.client.Upload.Create().SetSubject(p.Subject).SetName(staged.Name).SetMediaType(staged.MediaType).
			SetSize(staged.Size).SetSha256(staged.SHA256).SetCreatedAt(now).SetExpiresAt(now.Add(uploadLife)).Save(ctx)
		if err != nil {
			return fmt.Errorf("content: storing an upload: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	body, err := json.Marshal(received{up.ID, up.Name, up.MediaType, up.Size, up.Sha256, up.ExpiresAt})
	if err != nil {
		return fmt.Errorf("content: answering an upload: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(body) // whoever has left learns nothing
	return nil
}

// uploader is who may hand in content.
func uploader(ctx context.Context) (*authz.Principal, error) {
	p, err := authz.From(ctx)
	if err != nil {
		return nil, err
	}
	if !p.MayAnywhere("attachment", "upload") {
		return nil, authz.Refusal("attachment", "upload")
	}
	return p, nil
}
