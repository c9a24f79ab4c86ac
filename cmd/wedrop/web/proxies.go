package web

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the addresses of reverse proxies whose X-Forwarded-For and
// X-Forwarded-Proto are believed. Nobody else's are.
type Proxies []netip.Prefix

// ParseProxies reads addresses and networks (10.0.0.0/8) with commas or spaces
// between. The error names the one that is neither.
func ParseProxies(list string) (Proxies, error) {
	var p Proxies
	for _, one := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		if a, err := netip.ParseAddr(one); err == nil && a.Zone() == "" {
			a = a.Unmap()
			p = append(p, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		n, err := netip.ParsePrefix(one)
		if err != nil || n.Addr().Is4In6() {
			return nil, fmt.Errorf("%q is neither an address nor a network", one)
		}
		p = append(p, n.Masked())
	}
	return p, nil
}

func (p Proxies) trust(a netip.Addr) bool {
	for _, n := range p {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// Trust reports whether remote, an address with or without a port, is a
// proxy's.
func (p Proxies) Trust(remote string) bool {
	a, ok := parseAddress(remote)
	return ok && p.trust(a)
}

// Client is the address of who sent the request. Proxies append whom they saw
// to X-Forwarded-For, so it is read from its end, for as long as it was a
// proxy of ours that wrote: what stands before that, a client may have made up.
// What is no address ends the reading, at the last one that was read.
func (p Proxies) Client(r *http.Request) string {
	at, ok := parseAddress(r.RemoteAddr)
	if !ok {
		return r.RemoteAddr
	}
	seen := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for n := len(seen) - 1; n >= 0 && p.trust(at); n-- {
		before, ok := parseAddress(strings.TrimSpace(seen[n]))
		if !ok {
			break
		}
		at = before
	}
	return at.String()
}

// Secure reports whether the client's own connection is encrypted, be it by us
// or by a proxy.
func (p Proxies) Secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	protos := strings.Split(strings.Join(r.Header.Values("X-Forwarded-Proto"), ","), ",")
	return p.Trust(r.RemoteAddr) && strings.EqualFold(strings.TrimSpace(protos[len(protos)-1]), "https")
}

// parseAddress takes 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1] and
// [2001:db8::1]:80.
func parseAddress(s string) (netip.Addr, bool) {
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	} else if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		s = s[1 : len(s)-1]
	}
	a, err := netip.ParseAddr(s)
	return a.Unmap().WithZone(""), err == nil
}
