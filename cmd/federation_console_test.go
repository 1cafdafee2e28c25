// SPDX-License-Identifier: EUPL-1.2

package cmd_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/internal/housetest"
)

func TestMembersFoundAFederationAtTheConsoleAndNoneOfThemChangesItAlone(t *testing.T) {
	t.Parallel()
	papers := t.TempDir()
	file := func(name string) string { return filepath.Join(papers, name) }
	member := func(slug string, h *housetest.House) console {
		c := consoleOf(h)
		c.environ = append(c.environ, "OZG_FEDERATION="+file(slug))
		return c
	}
	sh, by := member("sh", housetest.New(t)), member("by", housetest.New(t))
	hh := console{t, []string{"OZG_DATA=" + t.TempDir(), "OZG_FEDERATION=" + file("hh")}} // it has no database yet

	for slug, c := range map[string]console{"sh": sh, "by": by, "hh": hh} {
		init := []string{"federation", "init", "--federation", "https://foederation.example", "--member", "https://" + slug + ".example", "--name", slug, "--region", "01", "--land", slug}
		c.wants(0, "give entry.json to the others", init...)
		c.wants(1, "there is a seat already", init...)
	}
	charter := file("charter.json")
	printed := sh.wants(0, "has charter 1", "federation", "join", "--to", charter, file("sh/entry.json"), file("by/entry.json"))
	pin := regexp.MustCompile(`sha256:[0-9a-f]{64}`).FindString(printed)
	sh.wants(1, "--pin is missing", "federation", "adopt", charter)
	sh.wants(1, "a new key did not sign", "federation", "adopt", "--pin", pin, charter)
	by.wants(0, "", "federation", "sign", charter)
	by.wants(1, "stands there twice", "federation", "sign", charter)
	sh.wants(1, "not the first charter that was agreed on", "federation", "adopt", "--pin", strings.Replace(pin, pin[10:14], "0000", 1), charter)
	for _, c := range []console{sh, by} {
		c.wants(0, pin, "federation", "verify", "--pin", pin, charter)
		c.wants(0, "It is kept", "federation", "adopt", "--pin", pin, charter)
		c.wants(0, "This was known", "federation", "adopt", charter)
		c.wants(0, "charter 1 in force", "federation", "show")
	}

	// A third one comes in, which is for both to sign, and for the third to show that it has its key.
	sh.wants(0, "has charter 2", "federation", "join", "--to", charter, file("hh/entry.json"))
	sh.wants(1, "a new key did not sign", "federation", "adopt", charter)
	hh.wants(0, "", "federation", "sign", charter)
	sh.wants(1, "too few have signed", "federation", "adopt", charter)
	by.wants(0, "", "federation", "sign", charter)
	sh.wants(0, "is signed by enough", "federation", "verify", charter)
	sh.wants(0, "It is kept", "federation", "adopt", charter)
	sh.wants(0, "https://hh.example", "federation", "show")

	// A key of a member is replaced by the next charter.
	sh.wants(0, "has charter 3", "federation", "rotate", "--member", "--to", charter)
	sh.wants(1, "too few have signed", "federation", "verify", charter)
	by.wants(0, "", "federation", "sign", charter)
	hh.wants(0, "", "federation", "sign", charter)
	sh.wants(0, "It is kept", "federation", "adopt", charter)
	if err := os.Rename(file("sh/member.jwk.next"), file("sh/member.jwk")); err != nil {
		t.Fatal(err)
	}

	// One's own house alone, a member together.
	sh.wants(0, "It is kept", "federation", "suspend", "https://sh.example/ozg")
	list := file("list.json")
	sh.wants(0, "has list 1", "federation", "suspend", "--reason", "MISCONDUCT", "--to", list, "https://hh.example")
	sh.wants(1, "too few have signed", "federation", "adopt", list)
	by.wants(0, "", "federation", "sign", list)
	sh.wants(1, "too few have signed", "federation", "adopt", list) // two thirds of three votes are not 0.67
	hh.wants(0, "", "federation", "sign", list)
	sh.wants(0, "suspends 1", "federation", "verify", list)
	sh.wants(0, "It is kept", "federation", "adopt", list)
	sh.wants(0, "SUSPENDED", "federation", "show")

	// A member whose key lies elsewhere vouches for what its house says of itself.
	said := file("said.jwt")
	_, text := by.runs("federation", "show", "--configuration")
	if err := os.WriteFile(said, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, voucher := by.runs("federation", "vouch", said); strings.Count(voucher, ".") != 2 {
		t.Error(voucher)
	}
	before, err := cmd.OpenSeat(file("by"))
	if err != nil {
		t.Fatal(err)
	}
	by.wants(0, "asks and answers by", "federation", "rotate", "--now")
	if after, err := cmd.OpenSeat(file("by")); err != nil || after.Signer().KeyID() == before.Signer().KeyID() {
		t.Error("the house asks and answers by the key that was put away", err)
	}

	// What was asked of this house, and how the logs of others looked: the same words at both ends of the telephone.
	sh.wants(0, "has 0 lines", "federation", "log")
	sh.wants(1, "fewer lines", "federation", "log", "7", tlog.RecordHash(nil).String())
	sh.wants(0, "has answered yet", "federation", "heads")
	sh.wants(1, "nothing is known", "federation", "forget", "https://by.example/ozg")

	for _, wrong := range [][]string{
		{"log", "7"}, {"log", "x", tlog.RecordHash(nil).String()}, {"log", "7", "x"}, {"log", "0", tlog.RecordHash(nil).String()}, {"heads", "x"}, {"forget"},
		{}, {"found"}, {"init"}, {"sign"}, {"join"}, {"adopt"}, {"verify"}, {"suspend"}, {"vouch"}, {"show", "x"}, {"rotate", "x"},
	} {
		if status, printed := sh.runs(append([]string{"federation"}, wrong...)...); status != 2 {
			t.Errorf("ozg federation %v: status %d: %s", wrong, status, printed)
		}
	}
	for name, content := range map[string]string{"rubbish.json": "{}", "empty.json": "", "text.json": "a.b.c"} {
		if err := os.WriteFile(file(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if status, printed := sh.runs("federation", "adopt", file(name)); status != 1 {
			t.Errorf("%s: status %d: %s", name, status, printed)
		}
	}
}
