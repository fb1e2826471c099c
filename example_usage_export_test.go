package circleci_test

import (
	"context"
	"fmt"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// The credits of a month by resource class. The rows are summed up as they
// come, so that it does not matter how many there are.
func ExampleUsageService_Export() {
	ctx := context.Background()
	srv := circlecitest.NewServer(circlecitest.WithSpeed(10_000))
	defer srv.Close()
	orgID := srv.AddOrg("gh/acme")
	srv.StartPipeline("gh/acme/web", "main")
	srv.Advance(24 * time.Hour)

	client := srv.Client()
	month := circleci.UsageWindow{Start: srv.Now().AddDate(0, -1, 0), End: srv.Now()}
	credits := map[string]float64{}
	for row, err := range client.Usage.Export(ctx, orgID, month, &circleci.ExportUsageOptions{
		MinInterval: time.Millisecond, // the real API is asked far less often: leave it out
	}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		credits[row.ResourceClass] += row.TotalCredits
	}
	for class, sum := range credits {
		fmt.Printf("%s: %.0f credits\n", class, sum)
	}
	// Output: medium: 10 credits
}
