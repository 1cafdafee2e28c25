// SPDX-License-Identifier: EUPL-1.2

package authz_test

import (
	"encoding/json"
	"io/fs"
	"testing"

	"github.com/c2sp/wycheproof"

	"github.com/ozg-cloud/platform/authz"
)

// vectors are Wycheproof's signatures: what hurt verifiers of JWS elsewhere.
type vectors struct {
	TestGroups []struct {
		Comment         string
		Private, Public map[string]any
		Tests           []struct {
			TcID    int `json:"tcId"`
			Comment string
			Jws     string
			Result  string
		}
	}
}

// judged says which invalid signatures a verifier accepts, and how many valid ones it refuses and accepts.
func judged(t *testing.T, signed func(token string, set []byte) bool) (wrong []string, refused, accepted, all int) {
	t.Helper()
	raw, err := fs.ReadFile(wycheproof.TestVectors, "json_web_signature_test.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	for _, g := range v.TestGroups {
		key := g.Public
		if len(key) == 0 {
			key = g.Private
		}
		key["kid"] = "vector" // ours have one, and the vectors are about signatures
		set, err := json.Marshal(map[string]any{"keys": []any{key}})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range g.Tests {
			all++
			switch ok := signed(c.Jws, set); {
			case ok && c.Result == "invalid":
				wrong = append(wrong, g.Comment+": "+c.Comment)
			case !ok && c.Result == "valid":
				refused++
			case ok:
				accepted++
			}
		}
	}
	return wrong, refused, accepted, all
}

func TestNoSignatureThatHurtOthersIsAccepted(t *testing.T) {
	wrong, refused, accepted, all := judged(t, authz.Signed)
	if len(wrong) > 0 {
		t.Errorf("invalid signatures are accepted: %q", wrong)
	}
	if all < 400 || accepted == 0 {
		t.Errorf("%d vectors, %d of them accepted: nothing was tried", all, accepted)
	}
	t.Logf("%d vectors, %d valid ones accepted, %d refused for their algorithm or spelling", all, accepted, refused)
	// The twin: who accepts everything is found.
	if wrong, _, _, _ := judged(t, func(string, []byte) bool { return true }); len(wrong) == 0 {
		t.Error("a verifier that accepts everything passes")
	}
}
