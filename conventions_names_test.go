package circleci_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// verbs are what the names of methods may begin with. A verb that is new here
// should be one that CircleCI or Go uses for the same thing.
var verbs = []string{
	"Get", "List", "Create", "Update", "Delete", "Set", "Add", "Has", "Check", // of resources
	"Run", "Trigger", "Continue", "Approve", "Cancel", "Rerun", "Compile", "Search", "Decide", "Rollback", // of CircleCI's
	"Wait", "Watch", "Download", "Open", "Export", "Sync", "Push", "Resolve", // of several calls
}

// sharedOptions belong to several methods, by what the methods' names contain.
var sharedOptions = map[string]*regexp.Regexp{
	"WaitOptions":          regexp.MustCompile(`Wait|Watch`),
	"DownloadOptions":      regexp.MustCompile(`^Download`),
	"FailureReportOptions": regexp.MustCompile(`FailureReport$`),
}

// words splits a name at its upper-case letters.
func words(name string) []string {
	var all []string
	for i, r := range name {
		if i == 0 || unicode.IsUpper(r) {
			all = append(all, "")
		}
		all[len(all)-1] += string(r)
	}
	return all
}

// misnamed lists what is wrong with the declaration of a service's method.
func misnamed(service string, fn *ast.FuncDecl) (problems []string) {
	method := fn.Name.Name
	verb := words(method)[0]
	if !slices.Contains(verbs, verb) && service+"."+method != "Users.Me" {
		problems = append(problems, "the name begins with no verb that is known")
	}
	for _, field := range fn.Type.Params.List {
		typ, pointer := field.Type, false
		if star, ok := typ.(*ast.StarExpr); ok {
			typ, pointer = star.X, true
		}
		if variadic, ok := typ.(*ast.Ellipsis); ok {
			typ = variadic.Elt
		}
		id, ok := typ.(*ast.Ident)
		if !ok {
			continue
		}
		want := map[string]string{"RequestOption": "opts"}[id.Name]
		switch {
		case id.Name == "bool":
			problems = append(problems, "a boolean cannot be read at the call: use an options struct")
		case strings.HasSuffix(id.Name, "Options"):
			want = "o"
			if !pointer {
				problems = append(problems, id.Name+" has to be a pointer, which may be nil")
			}
			rest := strings.TrimPrefix(strings.TrimPrefix(method, verb), "For")
			shared := sharedOptions[id.Name]
			if id.Name != method+"Options" && id.Name != verb+rest+service+"Options" && (shared == nil || !shared.MatchString(method)) {
				problems = append(problems, id.Name+" is not named after the method")
			}
		case strings.HasSuffix(id.Name, "Request"):
			want = "in"
			if pointer {
				problems = append(problems, id.Name+" has to be a value")
			}
		}
		for _, name := range field.Names {
			if want != "" && name.Name != want {
				problems = append(problems, name.Name+" has to be called "+want)
			}
		}
	}
	return problems
}

// durationName is what the name or the tag of a duration looks like.
var durationName = regexp.MustCompile(`(?i)duration|seconds|_secs|Secs$|millis|_ms\b|run_?time|mttr|time_?taken|time_?wasted|standard_?deviation`)

// bareDurations lists the fields of a struct that hold a duration as a number.
func bareDurations(name string, typ *ast.StructType) (problems []string) {
	for _, field := range typ.Fields.List {
		t := field.Type
		if star, ok := t.(*ast.StarExpr); ok {
			t = star.X
		}
		id, ok := t.(*ast.Ident)
		number := ok && (strings.HasPrefix(id.Name, "int") || strings.HasPrefix(id.Name, "uint") || strings.HasPrefix(id.Name, "float"))
		for _, n := range field.Names {
			if number && (durationName.MatchString(n.Name) || field.Tag != nil && durationName.MatchString(field.Tag.Value)) {
				problems = append(problems, name+"."+n.Name+" is a duration as a bare number: use Seconds or Milliseconds")
			}
		}
	}
	return problems
}

// badNames checks the declarations of a file.
func badNames(file *ast.File) (problems []string) {
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Recv == nil || !decl.Name.IsExported() {
				continue
			}
			star, ok := decl.Recv.List[0].Type.(*ast.StarExpr)
			if !ok {
				continue
			}
			id, ok := star.X.(*ast.Ident)
			if !ok {
				continue
			}
			if service, is := strings.CutSuffix(id.Name, "Service"); is {
				for _, p := range misnamed(service, decl) {
					problems = append(problems, service+"."+decl.Name.Name+": "+p)
				}
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				s, ok := spec.(*ast.TypeSpec)
				if !ok || strings.HasSuffix(s.Name.Name, "Trends") { // quotients, and not durations
					continue
				}
				if typ, ok := s.Type.(*ast.StructType); ok {
					problems = append(problems, bareDurations(s.Name.Name, typ)...)
				}
			}
		}
	}
	return problems
}

func TestNamesFollowTheConventions(t *testing.T) {
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		assert.Empty(t, badNames(file), name)
	}
}

func TestBadNamesAreFound(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "bad.go", `package bad
func (s *JobsService) Steps(ctx context.Context) {}
func (s *JobsService) Download(ctx context.Context, force bool) {}
func (s *JobsService) ListForProject(f *ListJobsOptions, options ...RequestOption) {}
func (s *JobsService) ListTests(o ListTestsOptions) {}
func (s *JobsService) Create(ctx context.Context, r *CreateJobRequest) {}
func (s *JobsService) Wait(o *WaitOptions, opts ...RequestOption) {}
func (s *UsersService) Me(ctx context.Context) {}
type Job struct {
	RunTime float64
	Took *int64 `+"`json:\"took_ms\"`"+`
	Good Seconds `+"`json:\"duration_secs\"`"+`
}
type JobTrends struct { Duration float64 }
`, 0)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"Jobs.Steps: the name begins with no verb that is known",
		"Jobs.Download: a boolean cannot be read at the call: use an options struct",
		"Jobs.ListForProject: ListJobsOptions is not named after the method",
		"Jobs.ListForProject: f has to be called o",
		"Jobs.ListForProject: options has to be called opts",
		"Jobs.ListTests: ListTestsOptions has to be a pointer, which may be nil",
		"Jobs.Create: CreateJobRequest has to be a value",
		"Jobs.Create: r has to be called in",
		"Job.RunTime is a duration as a bare number: use Seconds or Milliseconds",
		"Job.Took is a duration as a bare number: use Seconds or Milliseconds",
	}, badNames(file))
}
