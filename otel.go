package circleci

import (
	"context"

	"github.com/google/uuid"
)

// OTelService manages the OpenTelemetry exporters with which CircleCI sends
// traces of an organization's pipelines. To trace the requests of this client,
// use [WithMiddleware].
//
// These operations are not in CircleCI's API specification of October 2025;
// CircleCI's guides describe them as experimental. There is no operation to
// change an exporter.
type OTelService service

// OTelProtocol is the protocol that traces are sent with.
type OTelProtocol string

// The protocols.
const (
	OTelProtocolGRPC OTelProtocol = "grpc"
	OTelProtocolHTTP OTelProtocol = "http"
)

// OTelExporter sends traces to an endpoint.
type OTelExporter struct {
	ID       uuid.UUID    `json:"id"`
	OrgID    uuid.UUID    `json:"org_id"`
	Endpoint string       `json:"endpoint"`
	Protocol OTelProtocol `json:"protocol"`
	// Insecure disables TLS.
	Insecure bool `json:"insecure"`
	// Headers are the request headers, with masked values.
	Headers map[string]string `json:"headers,omitzero"`
	// Issues are the problems that CircleCI found. They are set in lists only.
	Issues []string `json:"issues,omitzero"`
}

func (e *OTelExporter) key() itemKey { return itemKey{id: e.ID} }

// ListExporters lists the exporters of an organization. If the organization
// does not exist, or the token may not manage it, the error matches
// [ErrNotFound].
//
// This operation is not in CircleCI's API specification. Its response is known
// from CircleCI's own clients; there is only one page.
//
// Not available on CircleCI server.
//
//circleci:operation GET /otel/exporters
func (s *OTelService) ListExporters(orgID uuid.UUID, opts ...RequestOption) *Pager[OTelExporter] {
	return array[OTelExporter](s.client, get("/otel/exporters").query(orgFilter(orgID)).with(opts))
}

// CreateExporterRequest describes a new exporter. An organization can have at
// most five.
type CreateExporterRequest struct {
	OrgID uuid.UUID `json:"org_id"`
	// Endpoint is a host and port or, for the HTTP protocol, an http or https
	// URL. The host must be public.
	Endpoint string       `json:"endpoint"`
	Protocol OTelProtocol `json:"protocol"`
	// Insecure disables TLS.
	Insecure bool `json:"insecure,omitzero"`
	// Headers are sent with each request; at most five.
	Headers map[string]Secret `json:"headers,omitzero"`
}

func (r CreateExporterRequest) check() error {
	if r.OrgID == uuid.Nil {
		return &ArgumentError{Name: "org_id", Reason: "is missing"}
	}
	if err := required("endpoint", r.Endpoint); err != nil {
		return err
	}
	return required("protocol", string(r.Protocol))
}

// CreateExporter creates an exporter and returns it with masked header values.
// If the organization already has five, the API responds with a 422 that says
// "internal error".
//
// This operation is not in CircleCI's API specification. Its request and
// response are known from CircleCI's guides and clients.
//
// Not available on CircleCI server.
//
//circleci:operation POST /otel/exporters
func (s *OTelService) CreateExporter(ctx context.Context, in CreateExporterRequest, opts ...RequestOption) (*OTelExporter, error) {
	return create[OTelExporter](ctx, s.client, post("/otel/exporters").body(in).with(opts))
}

// DeleteExporter deletes an exporter.
//
// This operation is not in CircleCI's API specification. Its response for an
// exporter that does not exist is not known.
//
// Not available on CircleCI server.
//
//circleci:operation DELETE /otel/exporters/{id}
func (s *OTelService) DeleteExporter(ctx context.Context, id uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/otel/exporters/{id}", id).with(opts))
}
