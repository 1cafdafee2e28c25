// SPDX-License-Identifier: EUPL-1.2

package content_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/content"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/attachment"
	"github.com/ozg-cloud/platform/ent/upload"
)

// kept is content of a random world: on which days ago it was laid down, whether a write was interrupted then, and who refers to it.
type kept struct {
	days, interrupted []int
	uploaded, expired bool
	attached          bool
}

func drawKept(t *rapid.T) kept {
	days := rapid.SliceOfNDistinct(rapid.IntRange(0, 6), 0, 3, rapid.ID[int])
	return kept{
		days: days.Draw(t, "days"), interrupted: days.Draw(t, "interrupted"),
		uploaded: rapid.Bool().Draw(t, "uploaded"), expired: rapid.Bool().Draw(t, "expired"), attached: rapid.Bool().Draw(t, "attached"),
	}
}

// stays lists what has to lie there after the sweep: what is younger than three days, and of what is referred to the newest.
func (k kept) stays() (days, interrupted []int) {
	for _, ago := range k.days {
		if ago < 3 || (k.uploaded || k.attached) && ago == slices.Min(k.days) {
			days = append(days, ago)
		}
	}
	for _, ago := range k.interrupted {
		if ago < 3 {
			interrupted = append(interrupted, ago)
		}
	}
	return days, interrupted
}

// swept lays down a world, sweeps it, and says what is wrong afterwards. One house serves for many worlds.
func (h *house) swept(desk *content.Desk, world []kept) (wrong []string) {
	h.t.Helper()
	h.exec("delete from uploads")
	h.exec("delete from attachments")
	must(h.t, os.RemoveAll(h.folder))
	must(h.t, os.MkdirAll(h.folder, 0o700))
	want, uploads, thrown := []string{"not-ours.txt"}, 0, 0
	must(h.t, os.WriteFile(filepath.Join(h.folder, "not-ours.txt"), []byte("x"), 0o600))
	today := h.now
	for i, k := range world {
		text := fmt.Sprintf("content %d", i)
		var piece content.Piece
		lay := func(ago int) string {
			h.now = today.AddDate(0, 0, -ago)
			defer func() { h.now = today }()
			piece = h.keep(text)
			return h.path(piece)
		}
		for _, ago := range k.interrupted {
			path := lay(ago)
			must(h.t, os.Rename(path, path+".18a5c.tmp"))
		}
		for _, ago := range k.days {
			lay(ago)
		}
		if piece.SHA256 == "" {
			continue
		}
		if k.uploaded {
			h.handIn(piece, today.Add(time.Microsecond))
			uploads++
		}
		if k.expired {
			h.handIn(piece, today)
			thrown++
		}
		if k.attached {
			h.attach("a.txt", piece)
		}
		days, interrupted := k.stays()
		thrown += len(k.days) + len(k.interrupted) - len(days) - len(interrupted)
		for _, ago := range days {
			want = append(want, piece.SHA256+"."+today.AddDate(0, 0, -ago).Format(time.DateOnly))
		}
		for _, ago := range interrupted {
			want = append(want, piece.SHA256+"."+today.AddDate(0, 0, -ago).Format(time.DateOnly)+".18a5c.tmp")
		}
	}
	n, err := desk.Sweep(h.t.Context())
	must(h.t, err)
	there := files(h.t, h.folder)
	slices.Sort(want)
	slices.Sort(there)
	if !slices.Equal(there, want) {
		wrong = append(wrong, fmt.Sprintf("there is\n%s\nand should be\n%s", strings.Join(there, "\n"), strings.Join(want, "\n")))
	}
	if left := h.count("uploads"); left != uploads {
		wrong = append(wrong, fmt.Sprintf("%d uploads are left of %d", left, uploads))
	}
	if n != thrown {
		wrong = append(wrong, fmt.Sprintf("%d are said to be thrown away, %d were to be", n, thrown))
	}
	return wrong
}

// handIn stores an upload of the applicant.
func (h *house) handIn(piece content.Piece, expiresAt time.Time) uuid.UUID {
	h.t.Helper()
	id := uuid.Must(uuid.NewV7())
	h.exec(`insert into uploads (id, subject, name, media_type, size, sha256, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		id, applicant, piece.Name, piece.MediaType, piece.Size, piece.SHA256, h.now, expiresAt)
	return id
}

func TestASweepThrowsAwayExactlyWhatNobodyNeeds(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	rapid.Check(t, func(t *rapid.T) {
		if wrong := h.swept(h.desk, rapid.SliceOfN(rapid.Custom(drawKept), 0, 4).Draw(t, "world")); len(wrong) > 0 {
			t.Fatal(strings.Join(wrong, "\n"))
		}
	})
}

func TestTheTestOfTheSweepNoticesASweeperWhoIsBlind(t *testing.T) {
	t.Parallel()
	world := []kept{{days: []int{5}, uploaded: true}, {days: []int{4}, attached: true}, {days: []int{5}}}
	h := newHouse(t)
	if wrong := h.swept(h.desk, world); len(wrong) > 0 {
		t.Errorf("a sound sweep is accused: %s", wrong)
	}
	for name, blind := range map[string]func(*ent.Client){
		"to uploads": func(c *ent.Client) {
			c.Upload.Intercept(ent.TraverseFunc(func(_ context.Context, q ent.Query) error {
				q.(*ent.UploadQuery).Where(upload.ID(uuid.Nil))
				return nil
			}))
		},
		"to attachments": func(c *ent.Client) {
			c.Attachment.Intercept(ent.TraverseFunc(func(_ context.Context, q ent.Query) error {
				q.(*ent.AttachmentQuery).Where(attachment.ID(uuid.Nil))
				return nil
			}))
		},
	} {
		client := h.newClient()
		blind(client)
		if wrong := h.swept(h.deskWith(client, h.recall), world); len(wrong) == 0 {
			t.Errorf("a sweeper who is blind %s is not noticed", name)
		}
	}
}

func TestManyPiecesAreSweptAsFewAre(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	world := make([]kept, 520)
	for i := range world {
		world[i] = kept{days: []int{5}, uploaded: i%3 == 0}
	}
	if wrong := h.swept(h.desk, world); len(wrong) > 0 {
		t.Error(len(wrong), "are wrong")
	}
}

// An upload becomes an attachment between the two questions that the sweeper asks: after whichever it asks first.
func TestContentThatChangesHandsDuringASweepStays(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	piece := h.keep("Grüße")
	h.now = h.now.AddDate(0, 0, 5)
	h.handIn(piece, h.now.Add(time.Hour))
	client, asked := h.newClient(), 0
	handOver := ent.InterceptFunc(func(next ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
			v, err := next.Query(ctx, q)
			if asked++; asked == 1 {
				h.exec("delete from uploads")
				h.attach("a.txt", piece)
			}
			return v, err
		})
	})
	client.Upload.Intercept(handOver)
	client.Attachment.Intercept(handOver)
	n, err := h.deskWith(client, h.recall).Sweep(t.Context())
	must(t, err)
	if there := files(t, h.folder); n != 0 || len(there) != 1 || asked != 2 {
		t.Errorf("%d were thrown away, %v is there after %d questions", n, there, asked)
	}
}

// Content that lies there for long is kept once more, and swept while nobody refers to it yet.
func TestContentThatIsKeptAgainSurvivesASweep(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.keep("Grüße")
	h.now = h.now.AddDate(0, 0, 10)
	piece := h.keep("Grüße")
	if n := got(h.desk.Sweep(t.Context()))(t); n != 1 {
		t.Errorf("%d were thrown away", n)
	}
	a := h.download(h.desk, h.desk.Link(h.as(applicant), h.attach("a.txt", piece)), nil)
	must(t, a.err)
	if a.Body.String() != "Grüße" {
		t.Errorf("got %q", a.Body)
	}
}

func TestTheSweeperAloneSeesWhatOthersHandedIn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	piece := h.keep("Grüße")
	h.handIn(piece, h.now.Add(time.Hour))
	h.attach("a.txt", piece)
	see := func(p *authz.Principal) map[string]int {
		ctx := authz.With(t.Context(), p)
		return map[string]int{
			"uploads":     got(h.client.Upload.Query().Count(ctx))(t),
			"attachments": got(h.client.Attachment.Query().Count(ctx))(t),
			"cases":       got(h.client.CaseFile.Query().Count(ctx))(t),
			"messages":    got(h.client.Message.Query().Count(ctx))(t),
		}
	}
	if seen := see(authz.System(authz.Sweeping)); !maps.Equal(seen, map[string]int{"uploads": 1, "attachments": 1, "cases": 0, "messages": 0}) {
		t.Errorf("the sweeper sees %v", seen)
	}
	everything := map[string][]authz.Assignment{}
	for _, role := range h.policy.Roles() {
		everything["user:dev:"+string(role)] = []authz.Assignment{{Role: role, Tenant: authz.TenantRef{Kind: authz.Federation}}}
	}
	for subject, roles := range everything {
		if seen := see(h.policy.Principal(subject, authz.High, roles)); seen["uploads"] > 0 {
			t.Errorf("%s sees the upload of somebody else", subject)
		}
	}
	for _, name := range []authz.SystemName{authz.Doorkeeping, authz.Relay} {
		if seen := see(authz.System(name)); seen["uploads"] > 0 || seen["attachments"] > 0 {
			t.Errorf("%s sees %v", name, seen)
		}
	}
	for _, p := range []*authz.Principal{h.as(stranger), authz.System(authz.Relay)} {
		if n := got(h.client.Upload.Delete().Exec(authz.With(t.Context(), p)))(t); n > 0 {
			t.Errorf("%s throws away the upload of somebody else", p.Subject)
		}
	}
	_, err := h.client.Upload.Create().SetSubject(applicant).SetName("a").SetMediaType("text/plain").SetSize(1).SetSha256(piece.SHA256).
		SetExpiresAt(h.now).Save(authz.With(t.Context(), authz.System(authz.Sweeping)))
	if err == nil {
		t.Error("the sweeper hands in uploads for others")
	}
}
