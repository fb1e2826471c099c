// Command contract compares the package, and the fake server of circlecitest, with
// an OpenAPI document of CircleCI's:
//
//	make contract SPEC=path/to/openapi.json
//
// It prints a line for each difference that known.txt does not explain, and
// fails if there is one:
//
//	route-unserved       no method serves an operation of the document
//	route-undocumented   the document lacks the operation of a method that is not an extra
//	route-no-extra       the document has what internal/spec has as an extra
//	route-unpinned       internal/spec/operations.go is older than the document: run make spec
//	query-unsendable     no option sends a parameter of the query
//	query-undeclared     the document lacks a parameter that is sent
//	query-optional       a parameter that is required can be left out
//	query-invalid        the value of a parameter does not fit its schema
//	request-unsendable   no field sends a property
//	request-undeclared   the document lacks a property that is sent
//	request-always       a property that is not required cannot be left out
//	request-invalid      a body does not fit its schema
//	response-lost        no field has a property of a response
//	response-null        a number in a response cannot be told from null
//	response-undeclared  the document lacks a property that a field is for
//	response-absent      a response lacks a property that others of its type have
//	response-refused     a response that fits its schema is an error
//	enum-missing         no constant has a value of the document
//	enum-undeclared      the document lacks a constant's value
//	enum-untyped         the document has values for what is a plain string
//	call-refused         an argument is refused, whatever the others are
//	fake-unanswered      the fake server got no request, or did not return a 2xx
//	fake-empty           a list in the fake server's responses was always empty
//	fake-request         a request to the fake server does not fit the document
//	fake-response        a response of the fake server does not fit the document
//	tool-arguments       this tool cannot make the arguments of a method
//	tool-constructor     a constructor is missing in the table of fill.go
//	known-stale          known.txt explains a difference that no longer occurs
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	dir := flag.String("package", "..", "the directory of the package")
	list := flag.String("known", "contract/known.txt", "the known differences")
	all := flag.Bool("all", false, "print the known differences too, with their reasons")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: contract [flags] path/to/openapi.json")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	differences, err := differencesTo(flag.Arg(0), *dir)
	if err != nil {
		log.Fatal(err)
	}
	known, err := readKnown(*list)
	if err != nil {
		log.Fatal(err)
	}
	if *all {
		for _, d := range differences {
			fmt.Println(d, "#", known[d])
		}
	}
	news := judge(differences, known)
	slices.Sort(news)
	for _, d := range news {
		fmt.Println(d)
	}
	if slices.ContainsFunc(news, func(d string) bool { return strings.HasPrefix(d, "route-unserved") }) {
		log.Print(`contract: for an operation that is new see "Adding an operation" in CONTRIBUTING.md`)
	}
	log.Printf("contract: %d differences, of which %s explains %d", len(differences), *list, len(known))
	if len(news) > 0 {
		os.Exit(1)
	}
}

// differencesTo compares the package and the fake server with a document.
func differencesTo(file, dir string) ([]string, error) {
	doc, err := load(file)
	if err != nil {
		return nil, err
	}
	src, err := readSource(dir)
	if err != nil {
		return nil, err
	}
	differences, err := compare(doc, src)
	return append(differences, compareFake(doc)...), err
}
