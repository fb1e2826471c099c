package circlecitest

import (
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/circleci-go/circleci"
)

var decisionStatuses = []circleci.DecisionStatus{
	circleci.DecisionStatusPass, circleci.DecisionStatusSoftFail, circleci.DecisionStatusHardFail, circleci.DecisionStatusError,
}

// documentDuration is a duration such as 90s or 2m30s.
type documentDuration time.Duration

// UnmarshalYAML decodes a duration.
func (d *documentDuration) UnmarshalYAML(node *yaml.Node) error {
	parsed, err := time.ParseDuration(node.Value)
	if err != nil || parsed < 0 {
		return fmt.Errorf("line %d: %q is not a duration such as 90s or 2m", node.Line, node.Value)
	}
	*d = documentDuration(parsed)
	return nil
}

// documentFailure is true, false, "once", or the fraction of the runs that
// fail.
type documentFailure struct {
	always, once bool
	share        float64
}

// UnmarshalYAML decodes how a job fails.
func (f *documentFailure) UnmarshalYAML(node *yaml.Node) error {
	if node.Value == "once" {
		f.once = true
		return nil
	}
	if node.Decode(&f.always) == nil {
		return nil
	}
	if err := node.Decode(&f.share); err != nil || f.share < 0 || f.share > 1 {
		return fmt.Errorf("line %d: fails: %q is not true, false, once or a fraction from 0 to 1", node.Line, node.Value)
	}
	return nil
}

// documentFraction is a number from 0 to 1.
type documentFraction float64

// UnmarshalYAML decodes a fraction.
func (f *documentFraction) UnmarshalYAML(node *yaml.Node) error {
	if err := node.Decode((*float64)(f)); err != nil || !(*f >= 0 && *f <= 1) {
		return fmt.Errorf("line %d: %q is not a fraction from 0 to 1", node.Line, node.Value)
	}
	return nil
}
