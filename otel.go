package circleci

import (
	"context"

	"github.com/google/uuid"
)

// OTelService manages the OpenTelemetry exporters at CircleCI, through which
// CircleCI sends traces of an organization's pipelines. To trace the requests of
// this client, wrap them with [WithMiddleware].
//
// Its operations are not in CircleCI's document of October 2025; its guides
// describe them, as experimental. There is none to change an exporter, and
// self-hosted servers have none of them.
type OTelService service

// OTelProtocol is how traces are sent.
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
	// Insecure turns TLS off.
	Insecure bool `json:"insecure"`
	// Headers have masked values.
	Headers map[string]string `json:"headers,omitzero"`
	// Issues are what CircleCI has found to be wrong; in lists only.
	Issues []string `json:"issues,omitzero"`
}

func (e *OTelExporter) key() itemKey { return itemKey{id: e.ID} }

// ListExporters lists the exporters of an organization. For one that is missing
// or that the token may not manage, the error matches [ErrNotFound].
//
// This operation is not in CircleCI's document. The answer is known from
// CircleCI's own clients; there is no paging.
//
//circleci:operation GET /otel/exporters
func (s *OTelService) ListExporters(orgID uuid.UUID, opts ...RequestOption) *Pager[OTelExporter] {
	return array[OTelExporter](s.client, get("/otel/exporters").query(orgFilter(orgID)).with(opts))
}

// CreateExporterRequest is a new exporter. An organization takes five.
type CreateExporterRequest struct {
	OrgID uuid.UUID `json:"org_id"`
	// Endpoint is a host with its port, or for the protocol HTTP an http or
	// https URL. Its host has to be public.
	Endpoint string       `json:"endpoint"`
	Protocol OTelProtocol `json:"protocol"`
	// Insecure turns TLS off.
	Insecure bool `json:"insecure,omitzero"`
	// Headers are sent along; five at most.
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

// CreateExporter creates an exporter, and returns it with the values of its
// headers masked. The sixth of an organization is refused with a 422 that calls
// itself an internal error.
//
// This operation is not in CircleCI's document. Request and answer are known
// from CircleCI's guides and clients.
//
//circleci:operation POST /otel/exporters
func (s *OTelService) CreateExporter(ctx context.Context, in CreateExporterRequest, opts ...RequestOption) (*OTelExporter, error) {
	return do[OTelExporter](ctx, s.client, post("/otel/exporters").body(in).with(opts))
}

// DeleteExporter deletes an exporter.
//
// This operation is not in CircleCI's document. What it answers for an exporter
// that does not exist is not known.
//
//circleci:operation DELETE /otel/exporters/{id}
func (s *OTelService) DeleteExporter(ctx context.Context, id uuid.UUID, opts ...RequestOption) error {
	return exec(ctx, s.client, remove("/otel/exporters/{id}", id).with(opts))
}
