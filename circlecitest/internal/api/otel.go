package api

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest/internal/deliver"
	"github.com/circleci-go/circleci/circlecitest/internal/engine"
	"github.com/circleci-go/circleci/circlecitest/internal/exchange"
	"github.com/circleci-go/circleci/circlecitest/internal/form"
	"github.com/circleci-go/circleci/circlecitest/internal/world"
)

// The limits of exporters: in an organization, and of headers in one.
const (
	maxExporters       = 5
	maxExporterHeaders = 5
)

// otelExporterView returns the exporter with the values of its headers masked.
func otelExporterView(e *world.OtelExporter) form.Object {
	view := form.Object{"id": e.ID, "org_id": e.Org.ID, "endpoint": e.Endpoint, "protocol": e.Protocol, "insecure": e.Insecure}
	if len(e.Headers) > 0 {
		headers := form.Object{}
		for name := range e.Headers {
			headers[name] = "xxxx"
		}
		view["headers"] = headers
	}
	return view
}

const errNoOrg = "Org not found"

var otelHandlers = map[string]exchange.Handler{
	"GET /otel/exporters": func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		o := s.OrgByID(r.Query.Get("org-id"))
		if o == nil {
			return exchange.Message(http.StatusNotFound, errNoOrg)
		}
		all := []any{}
		for _, e := range s.ExportersOf(o) {
			all = append(all, otelExporterView(e))
		}
		return exchange.OK(all)
	},
	"POST /otel/exporters": createExporter,
	"DELETE /otel/exporters/{id}": func(s *engine.Engine, r *exchange.Request) *exchange.Answer {
		n := len(s.Exporters)
		s.Exporters = slices.DeleteFunc(s.Exporters, func(e *world.OtelExporter) bool { return e.ID == r.ID("id") })
		if len(s.Exporters) == n {
			return exchange.NotFound("Exporter")
		}
		return exchange.Message(http.StatusOK, "Exporter deleted.")
	},
}

func createExporter(s *engine.Engine, r *exchange.Request) *exchange.Answer {
	var in struct {
		OrgID    string            `json:"org_id"`
		Endpoint string            `json:"endpoint"`
		Protocol string            `json:"protocol"`
		Insecure bool              `json:"insecure"`
		Headers  map[string]string `json:"headers"`
	}
	if a := r.Bind(&in); a != nil {
		return a
	}
	o := s.OrgByID(in.OrgID)
	if o == nil {
		return exchange.Message(http.StatusNotFound, errNoOrg)
	}
	if problem := endpointProblem(in.Endpoint, in.Protocol); problem != "" {
		return exchange.Message(http.StatusBadRequest, problem)
	}
	if len(in.Headers) > maxExporterHeaders {
		return exchange.Message(http.StatusBadRequest, "Too many headers provided.")
	}
	for _, name := range slices.Sorted(maps.Keys(in.Headers)) {
		if strings.HasPrefix(strings.ToLower(name), "grpc-") {
			return exchange.Message(http.StatusBadRequest, "Header name is reserved.")
		}
	}
	if len(s.ExportersOf(o)) >= maxExporters {
		return exchange.Message(http.StatusUnprocessableEntity, "Internal server error.") // the API's own text
	}
	e := &world.OtelExporter{ID: s.NewID(), Org: o, Endpoint: in.Endpoint, Protocol: in.Protocol, Insecure: in.Insecure, Headers: in.Headers}
	s.Exporters = append(s.Exporters, e)
	return exchange.Created(otelExporterView(e))
}

// endpointProblem returns what is wrong with an endpoint. It must be a host
// with a port or, with the protocol http, a URL.
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
	if host == "" || deliver.IsLocal(host) {
		return "Invalid endpoint hostname."
	}
	return ""
}
