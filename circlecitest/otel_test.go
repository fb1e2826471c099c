package circlecitest_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

func TestExportersAreKeptWithTheirHeadersMasked(t *testing.T) {
	srv := circlecitest.New(t)
	otel := srv.Client().OTel
	org := srv.AddOrg("gh/acme")
	made, err := otel.CreateExporter(t.Context(), circleci.CreateExporterRequest{
		OrgID: org, Endpoint: "otel.example:4317", Protocol: circleci.OTelProtocolGRPC, Headers: map[string]circleci.Secret{"x-api-key": "hunter2"},
	})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"x-api-key": "xxxx"}, made.Headers)
	all, err := otel.ListExporters(org).Collect(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []circleci.OTelExporter{*made}, all)
	others, err := otel.ListExporters(srv.AddOrg("gh/other")).Collect(t.Context())
	require.NoError(t, err)
	assert.Empty(t, others)
	require.NoError(t, otel.DeleteExporter(t.Context(), made.ID))
	assert.ErrorIs(t, otel.DeleteExporter(t.Context(), made.ID), circleci.ErrNotFound)
}

func TestAnExporterThatTheAPIRefuses(t *testing.T) {
	srv := circlecitest.New(t)
	otel := srv.Client().OTel
	org := srv.AddOrg("gh/acme")
	create := func(change func(*circleci.CreateExporterRequest)) error {
		in := circleci.CreateExporterRequest{OrgID: org, Endpoint: "https://otel.example/traces", Protocol: circleci.OTelProtocolHTTP}
		change(&in)
		_, err := otel.CreateExporter(t.Context(), in)
		return err
	}
	headers := func(names ...string) map[string]circleci.Secret {
		all := map[string]circleci.Secret{}
		for _, name := range names {
			all[name] = "x"
		}
		return all
	}
	for what, c := range map[string]struct {
		change  func(*circleci.CreateExporterRequest)
		status  int
		message string
	}{
		"a URL with grpc":     {func(in *circleci.CreateExporterRequest) { in.Protocol = circleci.OTelProtocolGRPC }, 400, "protocol must be 'http'"},
		"a host without port": {func(in *circleci.CreateExporterRequest) { in.Endpoint = "otel.example" }, 400, "port"},
		"another scheme":      {func(in *circleci.CreateExporterRequest) { in.Endpoint = "grpc://otel.example:4317" }, 400, "malformed"},
		"this machine":        {func(in *circleci.CreateExporterRequest) { in.Endpoint = "127.0.0.1:4317" }, 400, "Invalid endpoint hostname."},
		"six headers": {
			func(in *circleci.CreateExporterRequest) { in.Headers = headers("a", "b", "c", "d", "e", "f") }, 400, "Too many headers provided.",
		},
		"a header of grpc": {func(in *circleci.CreateExporterRequest) { in.Headers = headers("grpc-foo") }, 400, "Header name is reserved."},
		"no organization":  {func(in *circleci.CreateExporterRequest) { in.OrgID = uuid.New() }, 404, "Org not found"},
		"no such protocol": {func(in *circleci.CreateExporterRequest) { in.Protocol = "udp" }, 400, "protocol"},
	} {
		var bad *circleci.Error
		if assert.ErrorAs(t, create(c.change), &bad, what) {
			assert.Equal(t, c.status, bad.StatusCode, what)
			assert.Contains(t, bad.Message, c.message, what)
		}
	}
	for range 5 {
		require.NoError(t, create(func(*circleci.CreateExporterRequest) {}))
	}
	var full *circleci.Error
	require.ErrorAs(t, create(func(*circleci.CreateExporterRequest) {}), &full)
	assert.Equal(t, 422, full.StatusCode, "the sixth")
	assert.Equal(t, "Internal server error.", full.Message, "so the API calls it")
	_, err := otel.ListExporters(uuid.New()).Collect(t.Context())
	assert.ErrorIs(t, err, circleci.ErrNotFound)
	err = srv.Client().Do(t.Context(), circleci.Request{Route: "/otel/exporters"}, nil, circleci.Query("org-id", "gh/acme"))
	assert.ErrorIs(t, err, circleci.ErrNotFound, "a slug is no ID")
}
