// Circlecivet reports mistakes in the use of package circleci that the compiler
// does not find: loops over a list that lose its error. Run it by itself or as
// a tool of go vet:
//
//	go run github.com/circleci-go/circleci/circlecivet@latest ./...
//
//	go install github.com/circleci-go/circleci/circlecivet@latest
//	go vet -vettool=$(which circlecivet) ./...
package main

import (
	"os"
	"strings"

	"golang.org/x/tools/go/analysis/singlechecker"
	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/circleci-go/circleci/circlecivet/pagererror"
)

func main() {
	if calledByGoVet(os.Args[1:]) {
		unitchecker.Main(pagererror.Analyzer)
	}
	singlechecker.Main(pagererror.Analyzer)
}

// calledByGoVet reports whether the arguments are those of go vet: it asks for
// the version and the flags first, and then gives a file for each package.
func calledByGoVet(args []string) bool {
	for _, arg := range args {
		if arg == "-flags" || strings.HasPrefix(arg, "-V=") || strings.HasSuffix(arg, ".cfg") {
			return true
		}
	}
	return false
}
