package circlecitest

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
)

type otelExporter struct {
	id                 uuid.UUID
	org                *org
	endpoint, protocol string
	insecure           bool
	headers            map[string]string
}

// The limits of exporters: in an organization, and of headers in one.
const (
	maxExporters       = 5
	maxExporterHeaders = 5
)

// view shows the exporter with the values of its headers masked.
func (e *otelExporter) view() object {
	view := object{"id": e.id, "org_id": e.org.id, "endpoint": e.endpoint, "protocol": e.protocol, "insecure": e.insecure}
	if len(e.headers) > 0 {
		headers := object{}
		for name := range e.headers {
			headers[name] = "xxxx"
		}
		view["headers"] = headers
	}
	return view
}

func (s *Server) exportersOf(o *org) (all []*otelExporter) {
	for _, e := range s.world.exporters {
		if e.org == o {
			all = append(all, e)
		}
	}
	return all
}

const errNoOrg = "Org not found"

var otelHandlers = map[string]handler{
	"GET /otel/exporters": func(s *Server, r *request) *answer {
		o := s.orgByID(r.query.Get("org-id"))
		if o == nil {
			return message(http.StatusNotFound, errNoOrg)
		}
		all := []any{}
		for _, e := range s.exportersOf(o) {
			all = append(all, e.view())
		}
		return ok(all)
	},
	"POST /otel/exporters": createExporter,
	"DELETE /otel/exporters/{id}": func(s *Server, r *request) *answer {
		n := len(s.world.exporters)
		s.world.exporters = slices.DeleteFunc(s.world.exporters, func(e *otelExporter) bool { return e.id == r.id("id") })
		if len(s.world.exporters) == n {
			return notFound("Exporter")
		}
		return message(http.StatusOK, "Exporter deleted.")
	},
}

func createExporter(s *Server, r *request) *answer {
	var in struct {
		OrgID    string            `json:"org_id"`
		Endpoint string            `json:"endpoint"`
		Protocol string            `json:"protocol"`
		Insecure bool              `json:"insecure"`
		Headers  map[string]string `json:"headers"`
	}
	if a := r.bind(&in); a != nil {
		return a
	}
	o := s.orgByID(in.OrgID)
	if o == nil {
		return message(http.StatusNotFound, errNoOrg)
	}
	if problem := endpointProblem(in.Endpoint, in.Protocol); problem != "" {
		return message(http.StatusBadRequest, problem)
	}
	if len(in.Headers) > maxExporterHeaders {
		return message(http.StatusBadRequest, "Too many headers provided.")
	}
	for _, name := range slices.Sorted(maps.Keys(in.Headers)) {
		if strings.HasPrefix(strings.ToLower(name), "grpc-") {
			return message(http.StatusBadRequest, "Header name is reserved.")
		}
	}
	if len(s.exportersOf(o)) >= maxExporters {
		return message(http.StatusUnprocessableEntity, "Internal server error.") // so the API calls it
	}
	e := &otelExporter{id: s.newID(), org: o, endpoint: in.Endpoint, protocol: in.Protocol, insecure: in.Insecure, headers: in.Headers}
	s.world.exporters = append(s.world.exporters, e)
	return created(e.view())
}

// endpointProblem says what is wrong with an endpoint: it is a host with its
// port, or with the protocol http a URL.
func endpointProblem(endpoint, protocol string) string {
	if protocol != string(circleci.OTelProtocolGRPC) && protocol != string(circleci.OTelProtocolHTTP) {
		return "circlecitest: protocol is grpc or http"
	}
	var host string
	if strings.Contains(endpoint, "://") {
		u, err := url.Parse(endpoint)
		switch {
		case err != nil || u.Scheme != "http" && u.Scheme != "https":
			return "circlecitest: the endpoint is malformed"
		case protocol != string(circleci.OTelProtocolHTTP):
			return "protocol must be 'http' when endpoint starts with http:// or https://"
		}
		host = u.Hostname()
	} else {
		name, port, hasPort := strings.Cut(endpoint, ":")
		if n, err := strconv.Atoi(port); !hasPort || err != nil || n < 1 || n > 65535 {
			return "circlecitest: the endpoint has no port"
		}
		host = name
	}
	if host == "" || isLocal(host) {
		return "Invalid endpoint hostname."
	}
	return ""
}
