# SPDX-License-Identifier: EUPL-1.2

GO ?= go
TOOL = $(GO) tool -modfile=tools/go.mod
BIN = .build/ozg

.DEFAULT_GOAL := help
.PHONY: $(shell grep -oE '^[a-z-]+:' $(MAKEFILE_LIST) | tr -d :)

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

demo-federation: postgres build ## four Länder with houses and clusters of their own, one statistic over all, with one cut off, one lying, one suspended
	@exec $(BIN) demo-federation

federation-faults: postgres ## sixteen whole houses, each with a database of its own, and every fault at 1 to 15 of them (HOUSES)
	@$(GO) test -count=1 -v -timeout 40m -run '^TestWhatever' ./federation/lab -long -houses $(HOUSES)

conformance: postgres build conformance/node_modules/.package-lock.json ## suites and clients that others wrote, against the real binary (needs Node 20 or newer)
	@node conformance/run.mjs $(BIN)

conformance/node_modules/.package-lock.json: conformance/package-lock.json
	cd conformance && npm ci --ignore-scripts --no-fund --no-audit

conformance-federation: postgres build conformance/node_modules/.package-lock.json conformance/federation/node_modules/.package-lock.json ## composers, gateways and Apollo's suite, against the house as a subgraph (needs Node 20 or newer)
	@$(GO) build -trimpath -o .build/products ./conformance/products
	@node conformance/federation/run.mjs $(BIN) .build/products

conformance/federation/node_modules/.package-lock.json: conformance/federation/package-lock.json
	cd conformance/federation && npm ci --ignore-scripts --no-fund --no-audit

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

SUBSCRIBERS ?= 1000,10000
HOUSES ?= 16

bench-events: postgres ## measure streams of events beside a raw broadcast: how soon, how dearly, how much memory (SUBSCRIBERS)
	@$(GO) test -count=1 -v -timeout 20m -run '^TestTheFiguresOfEvents$$' ./internal/housetest -subscribers $(SUBSCRIBERS) | sed -n 's/^ *figures_test.go:[0-9]*: //p'

STATISTICS_CASES ?= 1000000,10000000

bench-statistics: postgres ## measure figures: answers with STATISTICS_CASES cases beside counting, counting anew, and how late events are counted
	@$(GO) test -count=1 -v -timeout 3h -run '^TestTheFiguresOfStatistics$$' ./statistics -figures $(STATISTICS_CASES) | sed -n 's/^ *figures_test.go:[0-9]*: //p'
	@$(GO) test -count=1 -timeout 1h -run '^$$' -bench 'Rebuild|Lag' -benchtime 1x ./statistics -cases 40000 | grep ^Benchmark

BENCH_CASES ?= 100000

bench-balkone: postgres ## measure filters and orders by extension fields beside the same by columns of the standard house
	@$(GO) test -run XXX -bench BesideTheSameByAColumn -benchtime 200x -timeout 30m ./reading -cases $(BENCH_CASES)

federation-torture: ## try every fault at every number of members, and 10,000 random histories against a central count
	@$(GO) test ./federation/gather -run 'Faulty|Bytes' -every -timeout 30m
	@$(GO) test ./federation/gather -run Published -rapid.checks=10000 -timeout 60m

bench-federation: ## measure sixteen houses: a closed month beside the slowest of them, stragglers, kept statements, the deadline
	@$(GO) test ./federation/gather -run xxx -bench . -benchtime 200x

bench: postgres build .build/limit ## measure the real binary beside the same answers by hand, at 2,000 authorities (BENCH_CASES=1000000 for many), and one event to 1,000 sockets
	@$(GO) run ./bench -house $(BIN) -limit .build/limit -cases $(BENCH_CASES)
	@$(MAKE) --no-print-directory bench-events SUBSCRIBERS=1000

bench-short: postgres build .build/limit ## the same in a minute: tells the ratios beside the recorded ones, and fails only where answers are wrong
	@$(GO) run ./bench -house $(BIN) -limit .build/limit -cases 20000 -authorities 43 -rounds 3 -warm 200ms -lasts 400ms -only q1,q2,q3,q4 -results .build/bench -recorded ../../bench/results/short.json

BENCH_GROWTH ?= 100000,1000000,100000/43,100000/10000

bench-growth: postgres build .build/limit ## the same where there are more cases, and more authorities (BENCH_GROWTH, as cases or cases/authorities)
	@$(GO) run ./bench -house $(BIN) -limit .build/limit -rounds 3 -grows $(BENCH_GROWTH)

.build/limit: FORCE
	@$(GO) build -trimpath -o $@ ./bench/limit

FORCE:

postgres:
	@sh deploy/postgres.sh

clean: ## remove what was built
	rm -rf .build
