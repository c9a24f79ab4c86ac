package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// linked are the modules in the binary, each with the reason why it is there.
// A new one is a decision: it gets its line here, or it goes. A family of
// modules that come together has one line.
func linked() map[string]string {
	return map[string]string{
		"github.com/spf13/cobra":                             "commands, help and completion in four shells; adds the least beside the SDKs",
		"github.com/spf13/pflag":                             "cobra's flags",
		"github.com/goccy/go-yaml":                           "knows the line and column of every key, for errors that point at them",
		"github.com/vbauerster/mpb/v8":                       "several bars at once that stay aligned with Chinese names",
		"github.com/VividCortex/ewma":                        "by mpb",
		"github.com/acarl005/stripansi":                      "by mpb",
		"github.com/mattn/go-runewidth":                      "how wide a name is on a screen: tables, and by mpb",
		"github.com/clipperhouse/uax29/v2":                   "by go-runewidth",
		"golang.org/x/term":                                  "whether stderr is a terminal, and how wide",
		"golang.org/x/sys":                                   "by term and sqlite; the clock of systemd's protocol",
		"golang.org/x/text":                                  "unicode/norm: names from macOS in the form that others use",
		"golang.org/x/time":                                  "the limiter of WeCom's calls",
		"github.com/gabriel-vasile/mimetype":                 "names what a file is from its first bytes",
		"modernc.org/sqlite":                                 "the ledger, without CGO",
		"modernc.org/libc":                                   "by sqlite",
		"modernc.org/mathutil":                               "by sqlite",
		"modernc.org/memory":                                 "by sqlite",
		"github.com/dustin/go-humanize":                      "by sqlite",
		"github.com/google/uuid":                             "by sqlite",
		"github.com/remyoudompheng/bigfft":                   "by sqlite",
		"github.com/gofrs/flock":                             "tells a process that lives from one that was killed",
		"github.com/jackc/pgx/v5":                            "the ledger of several machines, on PostgreSQL",
		"github.com/jackc/pgpassfile":                        "by pgx: a password that stands in no configuration",
		"github.com/jackc/pgservicefile":                     "by pgx",
		"github.com/jackc/puddle/v2":                         "by pgx: its pool",
		"golang.org/x/sync":                                  "by pgx's pool",
		"github.com/riverqueue/river":                        "wakes and spreads the Items of several machines",
		"github.com/riverqueue/river/riverdriver":            "by river",
		"github.com/riverqueue/river/riverdriver/riverpgxv5": "river on pgx",
		"github.com/riverqueue/river/rivershared":            "by river",
		"github.com/riverqueue/river/rivertype":              "by river",
		"github.com/tidwall/gjson":                           "by river",
		"github.com/tidwall/match":                           "by river",
		"github.com/tidwall/pretty":                          "by river",
		"github.com/tidwall/sjson":                           "by river",
		"github.com/prometheus/client_golang":                "the figures of the daemon, in the form that everybody's monitoring reads",
		"github.com/prometheus/client_model":                 "by client_golang",
		"github.com/prometheus/common":                       "by client_golang",
		"github.com/prometheus/procfs":                       "by client_golang",
		"github.com/beorn7/perks":                            "by client_golang",
		"github.com/cespare/xxhash/v2":                       "by client_golang",
		"github.com/munnerz/goautoneg":                       "by client_golang",
		"google.golang.org/protobuf":                         "by client_golang",
		"github.com/danielgtaylor/huma/v2":                   "an API whose OpenAPI document cannot differ from it; pulls in nothing else",
		"github.com/tus/tusd/v2":                             "uploads that go on where the connection broke, in the protocol of tus-js-client",
		"golang.org/x/exp":                                   "by tusd: the type of its log, which is silenced",
		"github.com/aws/aws-sdk-go-v2":                       "S3, and the usual chain of its credentials",
		"github.com/aws/smithy-go":                           "by the AWS SDK",
		"github.com/tencentyun/cos-go-sdk-v5":                "COS",
		"github.com/clbanning/mxj":                           "by the COS SDK",
		"github.com/google/go-querystring":                   "by the COS SDK",
		"github.com/mitchellh/mapstructure":                  "by the COS SDK",
		"github.com/mozillazg/go-httpheader":                 "by the COS SDK",
	}
}

func golist(t *testing.T, args ...string) []string {
	t.Helper()
	c := exec.Command("go", append([]string{"list"}, args...)...)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	require.NoError(t, err, errs.String())
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func TestModulesAreThoseWithAReason(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("other systems link a few others")
	}
	found := map[string]bool{}
	for _, mod := range golist(t, "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", ".") {
		if family := "github.com/aws/aws-sdk-go-v2"; strings.HasPrefix(mod, family+"/") {
			mod = family
		}
		if mod != "" {
			found[mod] = true
			require.Contains(t, linked(), mod, "the binary links it: give the reason in linked, or do without it")
		}
	}
	for mod := range linked() {
		require.True(t, found[mod], "%s is no longer linked: take it out of the list", mod)
	}
}

func TestTestCodeStaysOutOfTheBinary(t *testing.T) {
	t.Parallel()
	deps := golist(t, "-deps", ".")
	for pkg, why := range map[string]string{
		"testing":                         "its flags and its init belong to tests",
		"net/http/httptest":               "for tests",
		"html/template":                   "reflection switches dead-code elimination off: 6.4 MB",
		"github.com/stretchr/testify":     "for tests",
		"wedrop/storage/storagetest":      "for tests",
		"github.com/rogpeppe/go-internal": "for tests",
	} {
		for _, d := range deps {
			require.False(t, d == pkg || strings.HasPrefix(d, pkg+"/"), "the binary links %s: %s", d, why)
		}
	}
}

// cobra and the COS SDK import text/template. That costs nothing as long as
// nobody executes one: its use of reflection would keep every method of every
// type. cobra's SetUsageTemplate and the like do.
func TestTemplatesAreNotExecuted(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the program")
	}
	bin := filepath.Join(t.TempDir(), "wedrop")
	out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	symbols, err := exec.Command("go", "tool", "nm", bin).Output()
	require.NoError(t, err)
	require.Contains(t, string(symbols), "main.main")
	require.NotContains(t, string(symbols), "text/template.(*Template).Execute")
	require.NotContains(t, string(symbols), "text/template.(*state)")
}

// fence says what each of our packages may import, besides the standard
// library; "std" alone is nothing else. Imports run one way: cmd, then journal
// and folder, then pipeline, then inspect, storage and wecom, of which the
// last two know nobody. SDKs and SQL stay in drivers and the journal.
func fence() map[string][]string {
	return map[string][]string{
		"wedrop/wecom":                            {"golang.org/x/time/rate"},
		"wedrop/wecom/callback":                   {"wedrop/wecom"},
		"wedrop/wecom/wecomtest":                  {"wedrop/wecom"},
		"wedrop/wecom/tokentest":                  {"wedrop/wecom", "github.com/stretchr/testify/require"},
		"wedrop/storage":                          {},
		"wedrop/storage/storagetest":              {"wedrop/storage"},
		"wedrop/storage/storagetest/":             {},
		"wedrop/storage/dirbucket":                {"wedrop/storage"},
		"wedrop/storage/s3bucket":                 {"wedrop/storage", "github.com/aws/"},
		"wedrop/storage/s3bucket/s3test":          {"wedrop/storage", "wedrop/storage/storagetest", "github.com/aws/"},
		"wedrop/storage/cosbucket":                {"wedrop/storage", "github.com/tencentyun/cos-go-sdk-v5"},
		"wedrop/storage/cosbucket/costest":        {"wedrop/storage", "wedrop/storage/storagetest"},
		"wedrop/pipeline/beneath":                 {"golang.org/x/sys/"},
		"wedrop/pipeline/inspect":                 {"wedrop/pipeline/beneath", "github.com/gabriel-vasile/mimetype", "golang.org/x/text/unicode/norm", "golang.org/x/sys/"},
		"wedrop/pipeline/inspect/":                {"wedrop/pipeline/inspect"},
		"wedrop/pipeline/uptime":                  {"golang.org/x/sys/"},
		"wedrop/pipeline":                         {"wedrop/pipeline/uptime", "wedrop/pipeline/beneath", "wedrop/pipeline/inspect", "wedrop/storage", "wedrop/wecom"},
		"wedrop/pipeline/folder":                  {"wedrop/pipeline", "wedrop/pipeline/beneath", "wedrop/pipeline/inspect", "golang.org/x/sys/"},
		"wedrop/pipeline/journal":                 {"wedrop/pipeline", "wedrop/pipeline/uptime", "wedrop/pipeline/inspect", "wedrop/wecom", "database/sql", "modernc.org/sqlite", "github.com/gofrs/flock", "golang.org/x/sys/"},
		"wedrop/pipeline/journal/":                {"wedrop/pipeline", "wedrop/pipeline/inspect", "wedrop/wecom", "github.com/stretchr/testify/require"},
		"wedrop/pipeline/journal/postgres":        {"wedrop/pipeline", "wedrop/pipeline/inspect", "wedrop/pipeline/journal", "wedrop/wecom", "github.com/jackc/pgx/v5/", "github.com/jackc/pgx/v5"},
		"wedrop/pipeline/journal/postgres/pgtest": {"github.com/jackc/pgx/v5"},
		"wedrop/pipeline/riverengine":             {"wedrop/pipeline", "wedrop/pipeline/journal/postgres", "github.com/jackc/pgx/v5/", "github.com/jackc/pgx/v5", "github.com/riverqueue/river/", "github.com/riverqueue/river"},
		"wedrop/cmd/wedrop":                       {"wedrop/", "github.com/spf13/", "github.com/goccy/go-yaml/", "github.com/vbauerster/mpb/v8", "github.com/vbauerster/mpb/v8/decor", "github.com/mattn/go-runewidth", "golang.org/x/term", "golang.org/x/sys/unix", "github.com/gofrs/flock", "github.com/prometheus/client_golang/"},
		"wedrop/cmd/wedrop/web":                   {"wedrop/pipeline", "wedrop/pipeline/inspect", "wedrop/wecom", "github.com/danielgtaylor/huma/v2", "github.com/danielgtaylor/huma/v2/adapters/humago", "github.com/tus/tusd/v2/pkg/handler", "github.com/tus/tusd/v2/pkg/memorylocker", "golang.org/x/exp/slog"},
	}
}

func TestImportsRunOneWay(t *testing.T) {
	t.Parallel()
	rules := fence()
	for _, line := range golist(t, "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "wedrop/...") {
		pkg, imports, _ := strings.Cut(line, " ")
		allowed, ok := rules[pkg]
		if !ok {
			allowed, ok = rules[pkg[:strings.LastIndex(pkg, "/")+1]]
		}
		require.True(t, ok, "%s has no place in fence", pkg)
		for _, imp := range strings.Fields(imports) {
			require.NotContains(t, []string{"text/template", "html/template"}, imp, "%s: reflection costs 6.4 MB", pkg)
			foreign := strings.Contains(imp, ".") || strings.HasPrefix(imp, "wedrop/") || imp == "database/sql"
			if !foreign {
				continue
			}
			require.True(t, slices.ContainsFunc(allowed, func(a string) bool {
				return imp == a || strings.HasSuffix(a, "/") && strings.HasPrefix(imp, a)
			}), "%s must not import %s", pkg, imp)
		}
	}
}
