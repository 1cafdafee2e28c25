// SPDX-License-Identifier: EUPL-1.2

package rounds_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ozg-cloud/platform/internal/rounds"
)

func TestTheNextStepComesAtOnceAfterMoreAndAfterLongerAndLongerPausesWhereStepsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		broken := errors.New("the database is away")
		outcomes := []struct {
			more bool
			err  error
		}{{true, nil}, {false, nil}, {false, broken}, {true, broken}, {false, broken}, {false, broken}, {false, nil}, {false, nil}}
		var at []time.Duration
		begun, told := time.Now(), 0
		rounds.Go(ctx, rounds.Pauses{Calm: time.Second, Longest: 5 * time.Second}, func(context.Context) (bool, error) {
			at = append(at, time.Since(begun))
			o := outcomes[len(at)-1]
			if len(at) == len(outcomes) {
				cancel()
			}
			return o.more, o.err
		}, func(err error) {
			if !errors.Is(err, broken) {
				t.Errorf("was told %v", err)
			}
			told++
		})
		want := []time.Duration{0, 0, 1 * time.Second, 3 * time.Second, 7 * time.Second, 12 * time.Second, 17 * time.Second, 18 * time.Second}
		if !slices.Equal(at, want) || told != 4 {
			t.Errorf("steps came after %v, want %v; %d failures were told, want 4", at, want, told)
		}
	})
}

func TestWhereTheProgramEndsAStepThatFailsForItIsNotTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	rounds.Go(ctx, rounds.Pauses{Calm: time.Hour, Longest: time.Hour}, func(ctx context.Context) (bool, error) {
		cancel()
		return false, ctx.Err()
	}, func(err error) { t.Errorf("was told %v", err) })
}

func TestWhatIsDoneEveryNowAndThenEndsWhereItSaysSoAndWhereItIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var three, all atomic.Int32
		rounds.Every(time.Second, func() bool {
			return three.Add(1) < 3
		})
		stop := rounds.Every(time.Second, func() bool {
			all.Add(1)
			return true
		})
		<-time.After(5*time.Second + time.Millisecond)
		stop()
		<-time.After(time.Minute)
		if three.Load() != 3 || all.Load() != 5 {
			t.Errorf("done %d and %d times", three.Load(), all.Load())
		}
	})
}
