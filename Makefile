# wedrop: from local files to WeCom media_ids. "make" builds, "make demo"
# shows it, "make check" is what has to hold before a change goes in.

GO ?= go
BIN := $(CURDIR)/.bin

# Tools, at the versions that were tried.
VERSITYGW   := github.com/versity/versitygw/cmd/versitygw@v1.8.0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0

.PHONY: build demo test test-page race check vet cross fmt tidy staticcheck vuln tools clean

build:
	CGO_ENABLED=0 $(GO) build -buildvcs=auto -trimpath -ldflags "-s -w" -o wedrop ./cmd/wedrop

demo: build
	./wedrop demo --once

# All tests, with a real S3 server beside the simulated ones.
test: tools
	WEDROP_TEST_BIN=$(BIN) $(GO) test ./...
	$(MAKE) test-page

# The page in a real Chromium, if there is one. It is a module of its own, so
# "go test ./..." does not see it.
test-page:
	cd cmd/wedrop/web/e2e && $(GO) vet ./... && $(GO) test -count=1 ./...

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

clean:
	rm -rf wedrop $(BIN)
