// SPDX-License-Identifier: EUPL-1.2

package housetest

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/ozg-cloud/platform/authz"
)

// Environ is the configuration with which the real program (ozg serve) stands on the same ground as the house: the same database, blobs,
// keys and tokens. Where it listens is added by whoever starts it.
func (h *House) Environ() []string {
	h.Helper()
	issuers, err := json.Marshal([]authz.Issuer{h.mint.Issuer()})
	if err != nil {
		h.Fatal(err)
	}
	file := filepath.Join(h.TempDir(), "issuers.json")
	if err := os.WriteFile(file, issuers, 0o600); err != nil {
		h.Fatal(err)
	}
	inherited := os.Environ() //nolint:forbidigo // a program that is started gets the environment of who starts it
	return append(inherited, "OZG_DATABASE_URL="+h.ground.DatabaseURL, "OZG_BLOBS_URL="+h.ground.BlobsURL, "OZG_ISSUERS_FILE="+file,
		"OZG_SECRET_KEY="+base64.StdEncoding.EncodeToString(h.ground.Secret), "OZG_METRICS_LISTEN=", "OZG_DOCUMENTS=free")
}
