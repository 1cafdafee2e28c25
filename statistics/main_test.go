// SPDX-License-Identifier: EUPL-1.2

package statistics_test

import (
	"os"
	"testing"

	"github.com/ozg-cloud/platform/internal/housetest"
)

func TestMain(m *testing.M) {
	if what := os.Getenv(counting); what != "" {
		countUntilKilled(what)
	}
	housetest.Main(m)
}
