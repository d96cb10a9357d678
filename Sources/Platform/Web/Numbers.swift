package import Kernel

/// `1,234,567`
package func grouped(_ number: Int) -> String { grouped(Int64(number)) }

package func grouped(_ number: Int64) -> String {
  var digits = Array(String(number.magnitude))
  var place = digits.count - 3
  while place > 0 {
    digits.insert(",", at: place)
    place -= 3
  }
  return (number < 0 ? "-" : "") + String(digits)
}

/// `820 B`, `12.4 KB`, `3.1 GB`: thousands, as disks are sold and networks counted.
package func byteCount(_ bytes: Int64) -> String {
  let size = bytes.magnitude
  guard size >= 1000 else { return "\(bytes) B" }
  var scale: UInt64 = 1000
  for unit in ["KB", "MB", "GB", "TB", "PB"] {
    let tenths = (size + scale / 20) / (scale / 10)
    let whole = (size + scale / 2) / scale
    if tenths < 1000 || whole < 1000 || unit == "PB" {
      let shown = tenths < 1000 ? "\(tenths / 10).\(tenths % 10)" : "\(whole)"
      return (bytes < 0 ? "-" : "") + shown + " " + unit
    }
    scale *= 1000
  }
  return "\(bytes) B"
}

/// `3 小时前`, `昨天`, `还有 2 天`; past a month the date itself.
package func relativeText(_ language: Language, _ instant: Instant, now: Instant) -> String {
  let seconds = (now.milliseconds - instant.milliseconds) / 1000
  let days = now.dateInChina - instant.dateInChina
  switch (seconds, days) {
  case (-59...59, _): return language("刚刚", "just now")
  case (60..<3600, _): return language("\(seconds / 60) 分钟前", plural(seconds / 60, "minute") + " ago")
  case (3600..., 0): return language("\(seconds / 3600) 小时前", plural(seconds / 3600, "hour") + " ago")
  case (0..., 0...1): return language("昨天", "yesterday")
  case (0..., 2...31): return language("\(days) 天前", "\(days) days ago")
  case (..<0, 0): return language("今天稍后", "later today")
  case (..<0, -1): return language("明天", "tomorrow")
  case (..<0, -31 ... -2): return language("\(-days) 天后", "in \(-days) days")
  default: return instant.dateInChina.description
  }
}

/// A moment as words, with the exact minute on the element for those who need it.
package func time(_ language: Language, _ instant: Instant, now: Instant) -> HTML {
  "<time datetime=\"\(instant.description)\" title=\"\(instant.minuteInChina)\">\(relativeText(language, instant, now: now))</time>"
}

/// A moment as `2026-08-22 17:30`, China's time.
package func time(_ instant: Instant) -> HTML {
  "<time datetime=\"\(instant.description)\">\(instant.minuteInChina)</time>"
}

/// A day as `2026-08-22`, which no line breaks.
package func time(_ day: CalendarDate) -> HTML { "<time datetime=\"\(day)\">\(day)</time>" }

/// `1 day`, `2 days`: English counts, Chinese does not.
package func plural(_ count: some BinaryInteger, _ noun: String) -> String {
  "\(grouped(Int64(count))) \(noun)\(count == 1 ? "" : "s")"
}
