package pagererror_test

import (
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/circleci-go/circleci/circlecivet/pagererror"
)

func TestAnalyzer(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), pagererror.Analyzer, "a")
}
