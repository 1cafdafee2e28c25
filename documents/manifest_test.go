// SPDX-License-Identifier: EUPL-1.2

package documents_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/ozg-cloud/platform/documents"
)

const (
	first  = `query First { viewer { subject } }`
	second = `query Second($n: Int!) { cases(first: $n) { nodes { id } } }`
)

func both() map[string]string {
	return map[string]string{documents.Hash(first): first, documents.Hash(second): second}
}

func written(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func apolloOf(t *testing.T, all map[string]string) string {
	t.Helper()
	operations := []map[string]string{}
	for hash, text := range all {
		operations = append(operations, map[string]string{"id": hash, "name": "X", "type": "query", "body": text})
	}
	return written(t, map[string]any{"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations})
}

func TestTheManifestsOfFourToolsHoldTheSame(t *testing.T) {
	prefixed := map[string]string{}
	for hash, text := range both() {
		prefixed["sha256:"+hash] = text
	}
	for name, manifest := range map[string]string{
		"plain, and Relay's persisted_queries.json":         written(t, both()),
		"graphql-codegen's persisted-documents.json":        written(t, prefixed),
		"Apollo's persisted-query-manifest.json, version 1": apolloOf(t, both()),
	} {
		if got, err := documents.Read(strings.NewReader(manifest)); err != nil || !maps.Equal(got, both()) {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
}

func TestAManifestThatCannotBeTrustedIsRefused(t *testing.T) {
	hash := documents.Hash(first)
	many := map[string]string{}
	for i := range documents.Most + 1 {
		text := fmt.Sprintf("{ viewer { subject } } # %d", i)
		many[documents.Hash(text)] = text
	}
	for name, manifest := range map[string]string{
		"another document under the hash": written(t, map[string]string{hash: second}),
		"MD5":                             written(t, map[string]string{strings.Repeat("a", 32): first}),
		"a hash in capitals":              written(t, map[string]string{strings.ToUpper(hash): first}),
		"another algorithm":               written(t, map[string]string{"sha1:" + hash: first}),
		"no documents":                    `{}`,
		"no JSON":                         `{"`,
		"a list":                          `[]`,
		"two texts":                       written(t, both()) + written(t, both()),
		"another version of Apollo's":     strings.Replace(apolloOf(t, both()), `"version":1`, `"version":2`, 1),
		"another format":                  strings.Replace(apolloOf(t, both()), `apollo-`, `other-`, 1),
		"too many":                        written(t, many),
		"too large":                       strings.Repeat(" ", 32<<20) + written(t, both()),
	} {
		if got, err := documents.Read(strings.NewReader(manifest)); err == nil {
			t.Errorf("%s: %d documents", name, len(got))
		}
	}
}
