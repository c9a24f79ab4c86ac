package main

import "strings"

// nearest is the candidate that was probably meant by word, or "" if none is
// close. The same last part in another section counts as close.
func nearest(word string, candidates []string) string {
	best, least := "", len(word)/3+1
	for _, c := range candidates {
		if d := distance(word, c); d <= least {
			best, least = c, d-1
		}
	}
	if best != "" {
		return best
	}
	leaf := word[strings.LastIndex(word, ".")+1:]
	for _, c := range candidates {
		if c[strings.LastIndex(c, ".")+1:] == leaf {
			return c
		}
	}
	return ""
}

// distance is how many letters have to be put in, left out or changed.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
