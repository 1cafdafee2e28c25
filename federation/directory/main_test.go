// SPDX-License-Identifier: EUPL-1.2

package directory_test

import (
	"testing"

	"github.com/ozg-cloud/platform/internal/housetest"
)

func TestMain(m *testing.M) { housetest.Main(m) }
