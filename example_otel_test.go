package circleci_test

import (
	"context"
	"fmt"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// An organization's traces go to a collector.
func ExampleOTelService_CreateExporter() {
	ctx := context.Background()
	srv := circlecitest.NewServer()
	defer srv.Close()
	orgID := srv.AddOrg("gh/acme")

	client := srv.Client()
	exporter, err := client.OTel.CreateExporter(ctx, circleci.CreateExporterRequest{
		OrgID: orgID, Endpoint: "collector.example:4317", Protocol: circleci.OTelProtocolGRPC,
		Headers: map[string]circleci.Secret{"x-api-key": "hunter2"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(exporter.Endpoint, exporter.Headers)
	// Output: collector.example:4317 map[x-api-key:xxxx]
}
