/**
 * Scores of one detector, and what a threshold makes of them. An image is flagged from the threshold on. Points are a part of
 * the test images where there are many; `normal` and `anomalous` are the scores of all, and rates, counts and ROC are theirs.
 */
class Detector {
  constructor(index, { name, auc, measure, functions }, { scores, normal, anomalous }) {
    Object.assign(this, { index, name, auc, measure, functions, scores, sheets: {} })
    this.normal = normal.sort().reverse()
    this.anomalous = anomalous.sort().reverse()
    // Knot k flags the k highest normals; the first one, a little above them all, none.
    this.knots = [this.normal[0] + Math.max((this.normal[0] - this.normal.at(-1)) * 0.02, 1e-9), ...this.normal]
  }

  /**
   * The threshold at a false-positive rate: at k of n the score of a normal, in between on the way to the next, so that
   * at most this rate is flagged. A settled rate has four digits; within them k of n is k of n. As `threshold_at_fpr` of
   * ssad_core/histogram.py.
   */
  threshold(fpr) {
    const { knots } = this
    const n = this.normal.length
    const whole = Math.round(fpr * n)
    let place = Math.abs(fpr * n - whole) < 6e-5 * n ? whole : fpr * n
    let k = Math.floor(place)
    while (k > 0 && k < n && knots[k] === knots[k + 1]) place = --k // equal scores are called alike
    return place === k ? knots[k] : knots[k] + (knots[k + 1] - knots[k]) * (place - k)
  }

  /** Where a score lies between the lowest (0), the threshold (.5) and the highest test score (1). */
  share(score, fpr) {
    const middle = this.threshold(fpr)
    const low = Math.min(this.normal.at(-1), this.anomalous.at(-1))
    const high = Math.max(this.normal[0], this.anomalous[0])
    const part = score < middle ? (score - middle) / (middle - low) : (score - middle) / (high - middle || 1)
    return clamp(0.5 + part / 2, 0, 1)
  }

  /** Which of the functions that it tells apart it takes an image for, and how surely. */
  takenFor(i) {
    return [this.functions[this.taken[i]], `${this.certainty[i]}%`]
  }

  /** The inverse of `threshold`, held to [0, 1]. */
  fprAt(threshold) {
    const n = this.normal.length
    if (threshold >= this.knots[0]) return 0
    if (threshold <= this.knots[n]) return 1
    const k = atLeast(this.knots, threshold) - 1
    return (k + (this.knots[k] - threshold) / (this.knots[k] - this.knots[k + 1])) / n
  }

  /** How many test normals are flagged where point i just is. */
  flaggedWith(i) {
    return atLeast(this.normal, this.scores[i])
  }

  counts(fpr) {
    const threshold = this.threshold(fpr)
    const [fp, tp] = [atLeast(this.normal, threshold), atLeast(this.anomalous, threshold)]
    const [n, m] = [this.normal.length, this.anomalous.length]
    return { threshold, tp, fp, fn: m - tp, tn: n - fp, tpr: tp / m, fpr: fp / n }
  }

  /** The lowest and the highest score, of the points and of all test images. */
  get span() {
    const ends = [this.normal, this.anomalous].flatMap((sorted) => [sorted[0], sorted.at(-1)])
    return [Math.min(...ends, ...this.scores), Math.max(...ends, ...this.scores)]
  }

  /** [fpr, tpr] from (0, 0) to (1, 1), a point for each distinct score at which the curve turns. */
  roc() {
    const all = [...this.normal, ...this.anomalous].sort((a, b) => b - a)
    const points = [[0, 0]]
    all.forEach((score, k) => {
      if (k + 1 < all.length && all[k + 1] === score) return
      const point = [atLeast(this.normal, score) / this.normal.length, atLeast(this.anomalous, score) / this.anomalous.length]
      const [before, last] = points.slice(-2)
      if (last && [0, 1].some((axis) => before[axis] === last[axis] && last[axis] === point[axis])) points.pop()
      points.push(point)
    })
    return points
  }
}

/** How many of the descending values are at least `value`. */
function atLeast(values, value) {
  let [low, high] = [0, values.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (values[middle] >= value) low = middle + 1
    else high = middle
  }
  return low
}
