package circleci

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// downloadAll downloads the artifacts that a function lists. folder returns the
// subdirectory of an artifact's file.
func (s *JobsService) downloadAll(ctx context.Context, dir string, o *DownloadOptions, opts []RequestOption,
	list func(context.Context) ([]JobArtifact, error), folder func(JobArtifact) string,
) ([]DownloadedArtifact, error) {
	ctx, cancel, err := limited(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer cancel()
	d := &downloads{service: s, dir: dir, opts: opts}
	if o != nil {
		d.options = *o
	}
	chosen, err := parseGlob(d.options.Glob)
	if err != nil {
		return nil, err
	}
	all, listErr := list(ctx)
	if listErr != nil && len(all) == 0 {
		return nil, listErr
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	if d.root, err = os.OpenRoot(dir); err != nil {
		return nil, err
	}
	defer func() { _ = d.root.Close() }()
	for _, a := range all {
		if chosen.matches(a.Path) && (d.options.Match == nil || d.options.Match(a)) && (d.options.Node == nil || *d.options.Node == a.NodeIndex) {
			d.artifacts = append(d.artifacts, a)
		}
	}
	d.names = localNames(ctx, d.artifacts, folder)
	files, err := d.run(ctx)
	switch {
	case listErr == nil:
		return files, err
	case err == nil:
		return files, listErr
	}
	return files, &failuresError{[]error{listErr, err}}
}

// downloads are the concurrent downloads of one call.
type downloads struct {
	service   *JobsService
	root      *os.Root
	dir       string
	options   DownloadOptions
	opts      []RequestOption
	artifacts []JobArtifact
	names     []string
	mu        sync.Mutex // of OnProgress
}

func (d *downloads) run(ctx context.Context) ([]DownloadedArtifact, error) {
	sizes := make([]int64, len(d.artifacts))
	atOnce := d.options.Concurrency
	if atOnce <= 0 {
		atOnce = 4
	}
	errs := concurrently(ctx, len(d.artifacts), atOnce, func(i int) (err error) {
		sizes[i], err = d.fetch(ctx, d.artifacts[i], d.names[i])
		return err
	})
	var (
		done     []DownloadedArtifact
		failures failures
	)
	for i, a := range d.artifacts {
		if errs[i] == nil {
			done = append(done, DownloadedArtifact{Artifact: a, Path: filepath.Join(d.dir, d.names[i]), Size: sizes[i]})
		}
		failures.add(fmt.Sprintf("artifact %q of node %d", oneLine(a.Path), a.NodeIndex), errs[i])
	}
	return done, failures.err()
}

// maxPath is the maximum length of an artifact's path, in bytes.
const maxPath = 4096

// fetch downloads one file. On an error, it removes the partial file.
func (d *downloads) fetch(ctx context.Context, a JobArtifact, name string) (size int64, err error) {
	if len(a.Path) > maxPath {
		return 0, fmt.Errorf("its path has %d bytes: at most %d are allowed", len(a.Path), maxPath)
	}
	if err := d.root.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return 0, err
	}
	partial := name + "." + strconv.FormatUint(rand.Uint64(), 36) + ".partial"
	file, err := createNew(d.root, partial)
	if err != nil {
		return 0, err
	}
	report := func(p DownloadProgress) {
		if d.options.OnProgress != nil {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.options.OnProgress(p)
		}
	}
	var total int64
	size, err = d.service.download(ctx, a.Artifact, file, func(written, of int64) {
		total = of
		report(DownloadProgress{Artifact: a, Path: name, Written: written, Total: of})
	}, d.opts)
	err = errors.Join(err, file.Close())
	if err == nil {
		err = d.root.Rename(partial, name)
	}
	if err != nil {
		return 0, errors.Join(err, d.root.Remove(partial))
	}
	report(DownloadProgress{Artifact: a, Path: name, Written: size, Total: max(total, size), Done: true})
	return size, nil
}

// createNew creates a file. It fails if the file exists.
func createNew(root *os.Root, name string) (*os.File, error) {
	return root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

// localNames returns a unique file name for each artifact.
func localNames(ctx context.Context, artifacts []JobArtifact, folder func(JobArtifact) string) []string {
	type job struct {
		slug   ProjectSlug
		number int64
	}
	nodes := map[job]int64{} // the first node of each job
	severalNodes := map[job]bool{}
	for _, a := range artifacts {
		j := job{a.ProjectSlug, a.JobNumber}
		if first, ok := nodes[j]; !ok {
			nodes[j] = a.NodeIndex
		} else if first != a.NodeIndex {
			severalNodes[j] = true
		}
	}
	names := make([]string, len(artifacts))
	taken := map[string]bool{} // by files, and by the directories of files
	for i, a := range artifacts {
		if ctx.Err() != nil {
			return names // none of them will be downloaded
		}
		node := ""
		if severalNodes[job{a.ProjectSlug, a.JobNumber}] {
			node = strconv.FormatInt(a.NodeIndex, 10)
		}
		names[i] = filepath.Join(folder(a), node, localName(a.Path[:min(len(a.Path), maxPath)]))
		lower := strings.ToLower(names[i])
		for n := strings.LastIndexByte(lower, filepath.Separator); n > 0; n = strings.LastIndexByte(lower[:n], filepath.Separator) {
			taken[lower[:n]] = true
		}
	}
	last := map[string]int{} // suffix of a name, so that many equal names take no time
	for i, name := range names {
		for lower := strings.ToLower(name); taken[strings.ToLower(names[i])]; {
			last[lower] = max(last[lower], 1) + 1
			names[i] = name + "~" + strconv.Itoa(last[lower])
		}
		taken[strings.ToLower(names[i])] = true
	}
	return names
}

// localName makes of a path that comes from a server one that is relative, has
// no way up, and is a name on each system.
func localName(p string) string {
	var parts []string
	for part := range strings.FieldsFuncSeq(p, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part = localPart(part); part != "" {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return "artifact"
	}
	return filepath.Join(parts...)
}

func localPart(part string) string {
	part = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || strings.ContainsRune(`<>:"|?*`, r) || r == unicode.ReplacementChar {
			return '_'
		}
		return r
	}, part)
	const most = 200 // bytes; systems allow 255, and a suffix may follow
	if len(part) > most {
		part = strings.ToValidUTF8(part[:most], "")
	}
	part = strings.TrimRight(part, ". ")       // also removes . and ..
	if !filepath.IsLocal(part) && part != "" { // a device name on some systems
		return "_" + part
	}
	return part
}
