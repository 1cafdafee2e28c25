// SPDX-License-Identifier: EUPL-1.2

package intake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/content"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/ent/submission"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/schema"
)

// formServer is the role of the machine principals that deliver here.
const formServer authz.Role = "FORM_SERVER"

const (
	largestForm    = 2 << 20 // bytes
	mostEnclosures = 20
)

// delivered is the answer to a delivery.
type delivered struct {
	CaseID string `json:"caseId"` // global id
	Number string `json:"number"`
}

// Gover takes the delivery of a Gover form server: multipart/form-data with exactly one formData (JSON), exactly one representation (PDF) and any
// number of attachments up to 20, read as a stream. It answers 201 with the case and its number, and 200 with the same body when the
// transaction was delivered before; the same transaction with other content is a conflict (transactionReused).
//
// control.zustaendigeStelle is a regional key (ARS, 12 digits), or the slug of an authority, whose regional key then counts.
//
// Problems have the path to the part: Invalid for what is wrong with the delivery (unknownService and notResponsible among them), Forbidden for a source that
// has no active connector, may not submit there, or delivers for an applicant whose trust level is too low.
// When an error is returned nothing has been answered yet, and no case has been made (see receive for what may be left in the blob store).
func (d *Desk) Gover(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	p, err := authz.From(ctx)
	if err != nil {
		return err
	}
	// Asked again at the responsible tenant. Here it keeps out who would only fill the folder of temporary files.
	if !has(p, formServer) {
		return notAllowed()
	}
	var parcel parcel
	defer parcel.drop()
	if err := d.unpack(w, r, &parcel); err != nil {
		return err
	}
	f := parcel.form
	a := &arrival{
		Application: f.Application, channel: submission.ChannelFORM_SERVER, trust: f.trust, hash: parcel.hash(),
		representation: parcel.representation, enclosures: parcel.enclosures,
		servicePath: []string{"formData", "control", "leikaIds", "0"}, regionPath: []string{"formData", "control", "zustaendigeStelle"},
	}
	if f.Applicant.MailboxAddress != "" {
		if subject, ok := d.owner(f.Applicant.MailboxKind, f.Applicant.MailboxAddress); ok {
			a.owner = subject
		}
	}
	var got receipt
	err = authz.Current(ctx, func() error {
		if a.by, err = authz.From(ctx); err != nil {
			return err
		}
		got, err = d.receive(ctx, a)
		return err
	})
	if err != nil {
		return err
	}
	body, err := json.Marshal(delivered{schema.ID(catalog.Types["Case"].Number, got.caseID), got.number})
	if err != nil {
		return fmt.Errorf("intake: answering a delivery: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	if got.again {
		w.WriteHeader(http.StatusOK)
	} else {
		w.WriteHeader(http.StatusCreated)
	}
	_, _ = w.Write(body) // whoever has left asks again
	return nil
}

// parcel is a delivery, unpacked.
type parcel struct {
	form           *formData
	representation *content.Staged
	enclosures     []*content.Staged
}

func (p *parcel) drop() {
	if p.representation != nil {
		p.representation.Drop()
	}
	for _, e := range p.enclosures {
		e.Drop()
	}
}

// hash is over everything delivered: the form, and of each piece of content its name and its hash, in order.
func (p *parcel) hash() string {
	fields := [][]byte{p.form.canonical, []byte(p.representation.Name), []byte(p.representation.SHA256)}
	for _, e := range p.enclosures {
		fields = append(fields, []byte(e.Name), []byte(e.SHA256))
	}
	return seal(fields...)
}

// unpack reads a delivery into p, which holds temporary files also when there is an error.
func (d *Desk) unpack(w http.ResponseWriter, r *http.Request, p *parcel) error {
	typ, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || typ != "multipart/form-data" || params["boundary"] == "" {
		return problem.New(problem.Invalid, "malformed")
	}
	sent := &tail{Reader: http.MaxBytesReader(w, r.Body, d.limits.Total), boundary: params["boundary"]}
	parts := multipart.NewReader(sent, sent.boundary)
	for {
		part, err := parts.NextPart()
		if err == io.EOF { // wrapped, it is the end of a delivery that was cut off
			break
		}
		if err != nil {
			return broken(err)
		}
		if err := d.take(r, part, p); err != nil {
			return err
		}
	}
	if err := sent.whole(); err != nil {
		return err
	}
	switch {
	case p.form == nil:
		return problem.New(problem.Invalid, "required", "formData")
	case p.representation == nil:
		return problem.New(problem.Invalid, "required", "representation")
	}
	return nil
}

func (d *Desk) take(r *http.Request, part *multipart.Part, p *parcel) error {
	name := part.FormName()
	twice := problem.New(problem.Invalid, "duplicatePart", name)
	switch name {
	case "formData":
		if p.form != nil {
			return twice
		}
		document, err := io.ReadAll(io.LimitReader(part, largestForm+1))
		if err != nil {
			return broken(err, name)
		}
		if len(document) > largestForm {
			return problem.New(problem.Invalid, "tooLarge", name)
		}
		p.form, err = readFormData(document)
		return err
	case "representation":
		if p.representation != nil {
			return twice
		}
		staged, err := d.stage(r, part, "Antrag.pdf", name)
		if err != nil {
			return err
		}
		p.representation = staged
		if staged.MediaType != "application/pdf" {
			return problem.New(problem.Invalid, "mediaType", name)
		}
		return nil
	case "attachment":
		n := len(p.enclosures)
		if n == mostEnclosures {
			return problem.New(problem.Invalid, "tooMany", name)
		}
		staged, err := d.stage(r, part, "Anlage "+strconv.Itoa(n+1), name, strconv.Itoa(n))
		if err != nil {
			return err
		}
		p.enclosures = append(p.enclosures, staged)
		return nil
	}
	return problem.New(problem.Invalid, "unknownPart")
}

func (d *Desk) stage(r *http.Request, part *multipart.Part, otherwise string, path ...string) (*content.Staged, error) {
	staged, err := d.store.Stage(r.Context(), fileName(part.FileName(), otherwise), part, d.limits.Part)
	if p, ok := problem.Of(err); ok {
		return nil, problem.New(p.Kind, p.Rule, under(path, p.Path...)...)
	}
	if err != nil {
		return nil, fmt.Errorf("intake: taking a part: %w", err)
	}
	return staged, nil
}

// broken says what was wrong with reading a delivery, which is its sender's fault.
func broken(err error, path ...string) error {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return problem.New(problem.Invalid, "tooLarge", path...)
	}
	return problem.New(problem.Invalid, "malformed", path...)
}
