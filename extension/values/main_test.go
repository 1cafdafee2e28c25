// SPDX-License-Identifier: EUPL-1.2

package values_test

import (
	"flag"
	"testing"

	"github.com/ozg-cloud/platform/internal/housetest"
)

func TestMain(m *testing.M) {
	// Each draw brings definitions into force in a whole house, which takes a second; -rapid.checks asks for more.
	if err := flag.Set("rapid.checks", "6"); err != nil {
		panic(err)
	}
	housetest.Main(m)
}
