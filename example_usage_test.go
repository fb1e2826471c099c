package circleci_test

import (
	"context"
	"fmt"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// The usage of a day is exported; once the export is done, its files can be
// fetched, without the token.
func ExampleUsageService_CreateExport() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithManualTime())
	defer srv.Close()
	orgID := srv.AddOrg("gh/acme")
	srv.StartPipeline("gh/acme/web", "main")
	srv.Advance(24 * time.Hour)

	client := srv.Client()
	export, err := client.Usage.CreateExport(ctx, orgID, circleci.CreateUsageExportRequest{
		Start: srv.Now().Add(-24 * time.Hour), End: srv.Now(),
	})
	for err == nil && !export.State.Done() {
		srv.Advance(time.Minute) // a program would sleep: the API permits few requests
		export, err = client.Usage.GetExport(ctx, orgID, export.ID)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(export.State, len(export.DownloadURLs))
	// Output: completed 1
}
