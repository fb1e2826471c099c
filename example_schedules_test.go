package circleci_test

import (
	"context"
	"fmt"
	"time"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/circlecitest"
)

// A schedule runs the default branch on weekdays at two o'clock, UTC.
func ExampleSchedulesService_Create() {
	ctx := context.Background()
	monday := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	srv := circlecitest.NewServer(circlecitest.WithManualTime(), circlecitest.WithTime(monday))
	defer srv.Close()
	srv.AddProject("gh/acme/web")

	client := srv.Client()
	_, err := client.Schedules.Create(ctx, "gh/acme/web", circleci.CreateScheduleRequest{
		Name: "nightly",
		Timetable: circleci.Weekly(1, []int{2}, circleci.DayOfWeekMonday, circleci.DayOfWeekTuesday,
			circleci.DayOfWeekWednesday, circleci.DayOfWeekThursday, circleci.DayOfWeekFriday),
		AttributionActor: circleci.AttributionActorSystem,
		Parameters:       circleci.Parameters{"branch": "main", "slow-tests": true},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	srv.Advance(7 * 24 * time.Hour)
	pipelines, err := client.Pipelines.ListForProject("gh/acme/web", nil).Collect(ctx)
	fmt.Println(len(pipelines), pipelines[0].Trigger.Type, err)
	// Output: 5 scheduled_pipeline <nil>
}
