# SPDX-License-Identifier: EUPL-1.2

GO ?= go
TOOL = $(GO) tool -modfile=tools/go.mod
BIN = .build/ozg

.DEFAULT_GOAL := help
.PHONY: help run build test check inspect format vet lint verify generate vulnerabilities demo-case conformance hostile overload drain events-torture entities bench-events bench postgres clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 18

run: postgres build ## start a whole house on 127.0.0.1:8080 with its own database and demo data
	@exec $(BIN) dev

build: ## compile the binary to .build/ozg
	@$(GO) build -trimpath -o $(BIN) ./cmd/ozg

test: postgres ## run all tests with the race detector
	$(GO) test -race -timeout 15m ./...

check: test inspect ## everything that CI runs

inspect: format vet lint verify vulnerabilities ## what CI runs beside the tests

format: ## fail on files that gofmt would change
	@out=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$out" ] || { echo "not formatted:"; echo "$$out"; exit 1; }

vet: ## go vet
	$(GO) vet ./...

lint: ## golangci-lint with .golangci.yml, and the licence line of every file
	$(TOOL) golangci-lint run ./...
	@sh deploy/licence-lines.sh

generate: ## print the generated code afresh
	$(GO) generate ./ent ./graph

verify: ## print the generated code afresh and fail on any difference
	@sh deploy/verify.sh

vulnerabilities: ## govulncheck, where its database can be had
	@$(TOOL) govulncheck ./... || [ $$? -ne 3 ] && true

demo-case: postgres build ## one application on its way through the house, step by step
	@$(GO) test -count=1 -v -run '^TestTheWayOfACase$$' ./internal/housetest

conformance: postgres build conformance/node_modules/.package-lock.json ## suites and clients that others wrote, against the real binary (needs Node 20 or newer)
	@node conformance/run.mjs $(BIN)

conformance/node_modules/.package-lock.json: conformance/package-lock.json
	cd conformance && npm ci --ignore-scripts --no-fund --no-audit

hostile: postgres ## besiege a whole house for ten minutes with hostile requests, and tell how it fared
	@$(GO) test -count=1 -v -timeout 20m -run '^(TestTheSiege|TestHostile.*|TestSlowReaders.*)$$' ./internal/housetest -long 10m

overload: postgres ## ask ten times of the real binary what it can answer, and print what was answered, refused and how soon
	@$(GO) test -count=1 -v -timeout 20m -run '^TestTenTimesTheCapacity$$' ./internal/housetest -long 30s

drain: postgres ## tell the real binary to end 200 times under load, and count what was lost
	@$(GO) test -count=1 -v -timeout 30m -run '^TestNothingIsLostWhenAHouseUnderLoadIsToldToEnd$$' ./internal/housetest -rounds 200

events-torture: postgres ## kill servers and cut connections under receivers of events for three minutes, and try 10,000 races against lost rights
	@$(GO) test -count=1 -v -timeout 60m -run '^(TestReceiversLoseNothingWhateverHappens|TestNoProcessTellsAChangeToWhoLostTheRightBeforeIt)$$' ./internal/housetest -long 3m -races 10000

entities: postgres ## ask for things by their keys in a million random batches, and look whether each stands where it was asked for
	@$(GO) test -count=1 -v -timeout 30m -run '^TestEveryThingStandsWhereItsKeyWasAskedFor$$' ./federation/subgraph -batches 1000000
	@$(GO) test -count=1 -v -timeout 60m -run '^TestEveryRoleSeesByKeysExactlyWhatItsListsShow$$' ./graph -batches 2000

statistics-torture: postgres ## kill processes that count 1,000 times, and compare 10,000 random histories with a count of the cases
	@$(GO) test -count=1 -v -timeout 3h -run '^(TestNothingIsLostOrCountedTwiceWhateverIsKilled|TestAFoldThatStoresItsPositionApartIsCaughtByKillingIt)$$' ./statistics -kills 1000
	@$(GO) test -count=1 -v -timeout 3h -run '^TestCellsAreWhatCountingTheCasesGives$$' ./statistics -lives 100 -rounds 100
	@$(GO) test -count=1 -timeout 1h -run '^(TestAHistoryFolded|TestPartsMerge|TestWhatIsTakenBack|TestEvery)' ./statistics -rapid.checks=10000

bench-events: postgres ## measure streams of events beside a raw broadcast: how soon, how dearly, how much memory
	@$(GO) test -count=1 -v -timeout 20m -run '^TestTheFiguresOfEvents$$' ./internal/housetest -subscribers 1000,10000 | sed -n 's/^ *figures_test.go:[0-9]*: //p'

STATISTICS_CASES ?= 1000000,10000000

bench-statistics: postgres ## measure figures: answers with STATISTICS_CASES cases beside counting, counting anew, and how late events are counted
	@$(GO) test -count=1 -v -timeout 3h -run '^TestTheFiguresOfStatistics$$' ./statistics -figures $(STATISTICS_CASES) | sed -n 's/^ *figures_test.go:[0-9]*: //p'
	@$(GO) test -count=1 -timeout 1h -run '^$$' -bench 'Rebuild|Lag' -benchtime 1x ./statistics -cases 40000 | grep ^Benchmark

BENCH_CASES ?= 200000

bench: postgres build ## measure the real binary beside the same answers by hand (BENCH_CASES=1000000 for many)
	@$(GO) build -trimpath -o .build/limit ./bench/limit
	@$(GO) run ./bench -house $(BIN) -limit .build/limit -cases $(BENCH_CASES)

postgres:
	@sh deploy/postgres.sh

clean: ## remove what was built
	rm -rf .build
