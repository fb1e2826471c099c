package circleci_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

var otelTests = []operationTest{
	{
		op: "GET /otel/exporters",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return items(ctx, c.OTel.ListExporters(id2))
		},
		path: "/otel/exporters", query: "org-id=22222222-2222-4222-8222-222222222222", fixture: "otel/listOtelExporters",
	},
	{
		op: "POST /otel/exporters",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return some(c.OTel.CreateExporter(ctx, circleci.CreateExporterRequest{
				OrgID: id2, Endpoint: "otel.example:4317", Protocol: circleci.OTelProtocolGRPC, Insecure: true,
				Headers: map[string]circleci.Secret{"x-api-key": "hunter2"},
			}))
		},
		path: "/otel/exporters",
		body: `{"org_id":"22222222-2222-4222-8222-222222222222","endpoint":"otel.example:4317","protocol":"grpc","insecure":true,` +
			`"headers":{"x-api-key":"hunter2"}}`,
		fixture: "otel/createOtelExporter", status: 201,
	},
	{
		op: "DELETE /otel/exporters/{id}",
		call: func(ctx context.Context, c *circleci.Client) (any, error) {
			return none(c.OTel.DeleteExporter(ctx, id1))
		},
		path: "/otel/exporters/11111111-1111-4111-8111-111111111111", fixture: "otel/deleteOtelExporter",
	},
}

func TestBadExporterInputIsNotSent(t *testing.T) {
	srv := circlecitest.New(t)
	otel := srv.Client().OTel
	create := func(in circleci.CreateExporterRequest) error { return second(otel.CreateExporter(t.Context(), in)) }
	for what, err := range map[string]error{
		"no organization":    create(circleci.CreateExporterRequest{Endpoint: "a:1", Protocol: circleci.OTelProtocolGRPC}),
		"no endpoint":        create(circleci.CreateExporterRequest{OrgID: id1, Protocol: circleci.OTelProtocolGRPC}),
		"no protocol":        create(circleci.CreateExporterRequest{OrgID: id1, Endpoint: "a:1"}),
		"a list of nobody's": second(otel.ListExporters(uuid.Nil).Collect(t.Context())),
		"the zero UUID":      otel.DeleteExporter(t.Context(), uuid.Nil),
	} {
		assert.ErrorIs(t, err, circleci.ErrInvalidArgument, what)
	}
	assert.Empty(t, srv.Requests())
}

// The headers of an exporter are credentials of somebody else's service.
func TestAnExportersHeadersAreNotPrinted(t *testing.T) {
	in := circleci.CreateExporterRequest{Headers: map[string]circleci.Secret{"x-api-key": "hunter2"}}
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", in, in, in), "hunter2")
}
