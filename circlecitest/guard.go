package circlecitest

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/circleci-go/circleci/internal/transport"
)

// refuseForeign refuses requests that a page of another site makes a browser
// send, directly or through a DNS name that resolves to this machine. It
// reports whether it has refused the request.
func (s *Server) refuseForeign(w http.ResponseWriter, r *http.Request) bool {
	var reason string
	switch origin := r.Header.Get("Origin"); {
	case !s.servesHost(r.Host):
		reason = fmt.Sprintf("the host %q is not this machine: start the server with -allow-host %s, or with WithAllowedHosts, to permit it", r.Host, hostname(r.Host))
	case origin != "" && !s.ownOrigin(origin, r.Host):
		reason = "pages of other sites must not call this server"
	default:
		return false
	}
	writeControl(w, http.StatusForbidden, errors.New(reason))
	return true
}

func (s *Server) servesHost(host string) bool {
	name := hostname(host)
	return transport.IsLoopback(name) || slices.ContainsFunc(s.allowedHosts, func(allowed string) bool {
		return allowed == "*" || strings.EqualFold(allowed, name)
	})
}

func (s *Server) ownOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host == host
}

// hostname returns a host without its port and brackets.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}
