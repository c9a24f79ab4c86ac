package riverengine

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"wedrop/pipeline"
	"wedrop/pipeline/journal/postgres"
)

// byHost reports whether a step is for those who see the file: they read it,
// and at Done they know whether it still is in its folder.
func byHost(s pipeline.Step) bool {
	return s == pipeline.Inspect || s == pipeline.Stage || s == pipeline.Done
}

func (e *Engine) route(w postgres.Wake) string {
	if byHost(w.Step) {
		return e.queueOf(w.Host)
	}
	return e.shared()
}

// shared is the queue of what any machine may do.
func (e *Engine) shared() string { return queueName("any", e.o.Corp, "") }

// queueOf is the queue of what is done where host's files are seen.
func (e *Engine) queueOf(host string) string { return queueName(host, e.o.Corp, host) }

// queueName is a name that River takes (64 lower-case letters and digits with
// single hyphens), that a person recognises and that no other one has.
func queueName(shown string, parts ...string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(shown) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	name := strings.Trim(b.String()[:min(b.Len(), 40)], "-")
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return strings.TrimPrefix(name+"-"+hex.EncodeToString(sum[:5]), "-")
}
