// SPDX-License-Identifier: EUPL-1.2

package events_test

import (
	"encoding/base64"
	"testing"

	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/events"
)

func TestACursorSaysItsPositionAndNothingElse(t *testing.T) {
	t.Parallel()
	here, elsewhere := events.NewCursors([]byte("a secret of tests, 32 bytes long")), events.NewCursors([]byte("another secret of tests, 32 bytes"))
	replica := events.NewCursors([]byte("a secret of tests, 32 bytes long"))
	rapid.Check(t, func(t *rapid.T) {
		p := events.Position{XID: rapid.Uint64Range(0, 1<<48-1).Draw(t, "xid"), Seq: rapid.Int64Range(0, 1<<48-1).Draw(t, "seq")}
		text := here.Of(p)
		if text != replica.Of(p) {
			t.Fatal("the cursor of an event differs from replica to replica")
		}
		for _, c := range []string{text, here.Checkpoint(p)} {
			if got, ok := replica.Open(c); !ok || got != p {
				t.Fatalf("%s says %v, not %v", c, got, p)
			}
			if _, ok := elsewhere.Open(c); ok {
				t.Fatal("another house takes it")
			}
			raw, err := base64.RawURLEncoding.DecodeString(c)
			if err != nil {
				t.Fatal(err)
			}
			i := rapid.IntRange(0, len(raw)*8-1).Draw(t, "bit")
			raw[i/8] ^= 1 << (i % 8)
			if _, ok := here.Open(base64.RawURLEncoding.EncodeToString(raw)); ok {
				t.Fatal("one that was tampered with is taken")
			}
		}
		if here.Checkpoint(p) == text {
			t.Fatal("a checkpoint looks like an event")
		}
	})
}
