internal import Kernel
internal import Web

/// Whether an entry is mounted, since when, and what failed where the visitor may know it.
func standingBadge(_ request: Request, _ standing: Standing?) -> HTML {
  let t = request.language
  func since(_ at: Instant) -> HTML { "<span class=\"muted\">\(t("自", "since")) \(time(at))</span>" }
  switch standing {
  case nil: return .nothing
  case .untied: return badge(t("未挂接", "Not mounted"), .soon)
  case .declared: return badge(t("挂接待检测", "Mount not tested yet"), .neutral)
  case .mounted(let start): return "\(badge(t("已挂接", "Mounted"), .good)) \(since(start))"
  case .failing(let start, let fault):
    return """
      \(badge(t("挂接失效", "Mount failing"), .late)) \(since(start))\
      \(fault.map { " <a href=\"#mounting\">\(t($0))</a>" as HTML })
      """
  }
}
