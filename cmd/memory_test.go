// SPDX-License-Identifier: EUPL-1.2

package cmd_test

import (
	"testing"

	"github.com/ozg-cloud/platform/cmd"
)

func TestAFifthOfTheContainerIsLeftForWhatIsNoHeap(t *testing.T) {
	t.Parallel()
	if limit, ok := cmd.LimitOf([]byte("1073741824\n")); !ok || limit != 858993459 {
		t.Errorf("of a gigabyte %d are filled", limit)
	}
	for _, said := range []string{"max\n", "", "0", "-1", "9223372036854775807", "lots"} {
		if limit, ok := cmd.LimitOf([]byte(said)); ok {
			t.Errorf("%q limits to %d", said, limit)
		}
	}
}
