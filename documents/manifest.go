// SPDX-License-Identifier: EUPL-1.2

package documents

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Most bounds the documents of one edition of a client, mostBytes its manifest.
const (
	Most      = 10_000
	mostBytes = 32 << 20
)

// Hash is the name of a document: SHA-256 over its text, in lower-case hex.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Name reads the hash that somebody names a document by, which may stand behind "sha256:" (GraphQL over HTTP, persisted documents).
func Name(id string) (hash string, ok bool) {
	hash = strings.TrimPrefix(id, "sha256:")
	ok = len(hash) == 2*sha256.Size && strings.Trim(hash, "0123456789abcdef") == ""
	return hash, ok
}

// Read reads a manifest and gives its documents by their hash. It knows those of Relay (persisted_queries.json) and graphql-codegen
// (persisted-documents.json), which are {"id": "document"} as a plain one is, and Apollo's (persisted-query-manifest.json).
// Each id has to be the hash of its document: what was changed on the way is an error, and so is a tool that was set to SHA-1 or MD5.
func Read(manifest io.Reader) (map[string]string, error) {
	text, err := io.ReadAll(io.LimitReader(manifest, mostBytes+1))
	if err != nil {
		return nil, fmt.Errorf("documents: reading a manifest: %w", err)
	}
	if len(text) > mostBytes {
		return nil, errors.New("the manifest is larger than 32 MB")
	}
	named, err := plain(text)
	if err != nil {
		named, err = apollo(text)
	}
	if err != nil {
		return nil, err
	}
	if len(named) == 0 || len(named) > Most {
		return nil, fmt.Errorf("there are %d documents in the manifest, not 1 to %d", len(named), Most)
	}
	out := make(map[string]string, len(named))
	for id, document := range named {
		hash, ok := Name(id)
		if !ok {
			return nil, fmt.Errorf("%.80q is no SHA-256: the tool has to be set to it", id)
		}
		if Hash(document) != hash {
			return nil, fmt.Errorf("%s is not the hash of its document", id)
		}
		out[hash] = document
	}
	return out, nil
}

var errForm = errors.New("this is no manifest: neither {id: document} nor an apollo-persisted-query-manifest of version 1")

func plain(text []byte) (out map[string]string, err error) {
	if json.Unmarshal(text, &out) != nil {
		return nil, errForm
	}
	return out, nil
}

func apollo(text []byte) (map[string]string, error) {
	var m struct {
		Format     string `json:"format"`
		Version    int    `json:"version"`
		Operations []struct {
			ID   string `json:"id"`
			Name string `json:"name"`
			Type string `json:"type"`
			Body string `json:"body"`
		} `json:"operations"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if d.Decode(&m) != nil || m.Format != "apollo-persisted-query-manifest" || m.Version != 1 {
		return nil, errForm
	}
	out := make(map[string]string, len(m.Operations))
	for _, o := range m.Operations {
		out[o.ID] = o.Body
	}
	return out, nil
}
