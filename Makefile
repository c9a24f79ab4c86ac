# wedrop: from local files to WeCom media_ids. "make" builds, "make demo"
# shows it, "make check" is what has to hold before a change goes in.

GO ?= go
BIN := $(CURDIR)/.bin

# Tools, at the versions that were tried.
VERSITYGW   := github.com/versity/versitygw/cmd/versitygw@v1.8.0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
MC          := github.com/minio/mc@v0.0.0-20250313080218-cf909e1063a9
RCLONE      := github.com/rclone/rclone@v1.76.0

.PHONY: build demo test test-page test-postgres race check vet cross fmt tidy staticcheck vuln tools bench bench-peers clean

build:
	CGO_ENABLED=0 $(GO) build -buildvcs=auto -trimpath -ldflags "-s -w" -o wedrop ./cmd/wedrop

demo: build
	./wedrop demo --once

# All tests, with a real S3 server beside the simulated ones.
test: tools
	WEDROP_TEST_BIN=$(BIN) $(GO) test ./...
	$(MAKE) test-page

# The page in a real Chromium, if there is one. It is a module of its own, so
# "go test ./..." does not see it. A browser on a busy machine has moods: what
# fails is shown, and everything is run once more.
test-page:
	cd cmd/wedrop/web/e2e && $(GO) vet ./... && { $(GO) test -count=1 ./... || \
		{ echo "the page's tests failed; once more"; $(GO) test -count=1 ./...; }; }

# What is about the ledger on PostgreSQL alone: a part of test. It needs initdb
# and postgres, on the PATH or where Debian puts them, and no running server.
test-postgres:
	CI=true $(GO) test -count=1 ./pipeline/journal/postgres/... ./pipeline/riverengine/...
	CI=true $(GO) test -count=1 -run 'Machine|Journal|Database' ./cmd/wedrop

race: tools
	WEDROP_TEST_BIN=$(BIN) $(GO) test -race ./...

check: fmt vet staticcheck race tidy cross

fmt:
	@test -z "$$(gofmt -l .)" || { echo "not gofmt'd:"; gofmt -l .; exit 1; }

vet:
	$(GO) vet ./...

tidy:
	$(GO) mod tidy -diff

# The other systems at least compile, tests included.
cross:
	GOOS=windows GOARCH=amd64 CGO_ENABLED=0 $(GO) vet ./...
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 $(GO) vet ./...

staticcheck: $(BIN)/staticcheck
	$(BIN)/staticcheck ./...

# Needs the network for its database, so it is no part of check.
vuln: $(BIN)/govulncheck
	$(BIN)/govulncheck ./...

tools: $(BIN)/versitygw

$(BIN)/versitygw:
	GOBIN=$(BIN) $(GO) install $(VERSITYGW)

$(BIN)/staticcheck:
	GOBIN=$(BIN) $(GO) install $(STATICCHECK)

$(BIN)/govulncheck:
	GOBIN=$(BIN) $(GO) install $(GOVULNCHECK)

# The numbers of the README, beside the peers that are there: eight minutes on an
# idle machine, less with BENCH=quick. How it is measured stands in testdata/bench.
bench: tools
	PATH="$$PATH:$(BIN)" $(GO) run ./testdata/bench $(if $(filter quick,$(BENCH)),-quick)

# Peers at versions that were tried. (s5cmd is used where it is found.)
bench-peers: tools
	GOBIN=$(BIN) $(GO) install $(MC)
	GOBIN=$(BIN) $(GO) install $(RCLONE)
	@command -v openssl >/dev/null && command -v hashdeep >/dev/null || echo "openssl and hashdeep: apt-get install openssl hashdeep"

clean:
	rm -rf wedrop $(BIN)
