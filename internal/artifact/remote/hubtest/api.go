package hubtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// record is what the API says of a file or folder.
type record map[string]any

func (r *Repo) record(name string, expand bool) record {
	out := record{"type": "file", "path": name, "size": len(r.Files[name]), "oid": r.oid(name)}
	if r.LFS(name) {
		out["lfs"] = record{"oid": r.SHA256(name), "size": len(r.Files[name]), "pointerSize": 135}
	}
	if expand {
		out["lastCommit"] = record{"id": r.Commit, "title": "Upload", "date": "2026-01-01T00:00:00.000Z"}
		out["securityFileStatus"] = r.security(name)
	}
	return out
}

func (r *Repo) security(name string) record {
	status := r.Status[name]
	if status == "" {
		status = "safe"
		if !r.ScansDone {
			status = "queued"
		}
	}
	return record{"status": status, "avScan": record{"status": status}, "pickleImportScan": record{"status": status, "pickleImports": []any{}}}
}

// info is the repository as GET /api/models/{id} has it.
func (r *Repo) info(req *http.Request) record {
	var siblings []record
	for _, name := range r.names() {
		s := record{"rfilename": name}
		if req.URL.Query().Get("blobs") != "" {
			s["size"], s["blobId"] = len(r.Files[name]), r.oid(name)
			if r.LFS(name) {
				s["lfs"] = record{"sha256": r.SHA256(name), "size": len(r.Files[name]), "pointerSize": 135}
			}
		}
		siblings = append(siblings, s)
	}
	out := record{
		"_id": "0", "id": r.ID, "modelId": r.ID, "sha": r.Commit, "private": r.Token != "" && !r.Gated, "gated": false, "disabled": false,
		"siblings": siblings, "tags": []string{}, "downloads": 1, "likes": 1, "lastModified": "2026-01-01T00:00:00.000Z", "createdAt": "2026-01-01T00:00:00.000Z",
	}
	if r.Gated {
		out["gated"] = "auto"
	}
	if req.URL.Query().Get("securityStatus") != "" {
		issues := []record{}
		for _, name := range r.names() {
			if status := r.Status[name]; status != "" && status != "safe" {
				issues = append(issues, record{"path": name, "level": status})
			}
		}
		out["securityRepoStatus"] = record{"scansDone": r.ScansDone, "filesWithIssues": issues}
	}
	return out
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(err)
	}
}

func (h *Hub) api(w http.ResponseWriter, req *http.Request, p string) {
	if p == "whoami-v2" {
		answer(w, record{"name": "someone", "type": "user"})
		return
	}
	typ, p, _ := strings.Cut(p, "/")
	r, verb, revision, rest := h.find(typ, p)
	if !h.allowed(w, req, r, revision, false) {
		return
	}
	switch verb {
	case "", "revision":
		answer(w, r.info(req))
	case "tree":
		h.tree(w, req, r, rest)
	case "paths-info":
		if err := req.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		out := []record{}
		for _, name := range req.PostForm["paths"] {
			if _, ok := r.Files[name]; ok {
				out = append(out, r.record(name, req.PostForm.Get("expand") != ""))
			}
		}
		answer(w, out)
	case "refs":
		answer(w, record{"branches": []record{{"name": "main", "ref": "refs/heads/main", "targetCommit": r.Commit}}, "tags": []any{}, "converts": []any{}})
	case "xet-read-token":
		http.Error(w, "no xet here", http.StatusNotFound)
	default:
		http.NotFound(w, req)
	}
}

// tree answers a page, and where the next one is (GitHub's Link header).
func (h *Hub) tree(w http.ResponseWriter, req *http.Request, r *Repo, folder string) {
	q := req.URL.Query()
	recursive := q.Get("recursive") == "true" || q.Get("recursive") == "True"
	expand := q.Get("expand") == "true" || q.Get("expand") == "True"
	var all []record
	folders := []string{}
	for _, name := range r.names() {
		inside, ok := strings.CutPrefix(name, strings.TrimPrefix(folder+"/", "/"))
		if !ok {
			continue
		}
		if sub, _, deep := strings.Cut(inside, "/"); deep && !recursive {
			if dir := path.Join(folder, sub); !slices.Contains(folders, dir) {
				folders = append(folders, dir)
				all = append(all, record{"type": "directory", "path": dir, "oid": r.Commit, "size": 0})
			}
			continue
		}
		all = append(all, r.record(name, expand))
	}
	from, _ := strconv.Atoi(q.Get("cursor"))
	to := min(from+h.PageSize, len(all))
	if to < len(all) {
		q.Set("cursor", fmt.Sprint(to))
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?%s>; rel="next"`, h.URL, req.URL.EscapedPath(), q.Encode()))
	}
	answer(w, all[from:to])
}
