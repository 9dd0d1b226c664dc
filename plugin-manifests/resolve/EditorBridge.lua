--[[
EditorBridge in DaVinci Resolve: Workspace > Scripts > EditorBridge. Runs in the free edition as well: Lua from the menu, no panel, no Python.

What it makes is told by where things stand:
  a marker at the playhead (or in the in/out range)  its note is the prompt; its name may say B-Roll, Extend, Extend 48, Extend Head or Fill
  playhead in a gap between two clips                Fill
  in and out marks                                   B-Roll over that range, on a free track above
  playhead on a clip                                 Extend at its tail

The editorbridge program must be on the path, or named in the environment variable EDITORBRIDGE_CLI.
]]

local M = {}

-- `editorbridge plugins install resolve` puts the full path here.
local PROGRAM = "editorbridge"

local windows = package.config:sub(1, 1) == "\\"

-- ---- JSON ----

local escapes = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

local function utf8_of(code)
  if code < 0x80 then return string.char(code) end
  if code < 0x800 then return string.char(0xC0 + math.floor(code / 64), 0x80 + code % 64) end
  if code < 0x10000 then return string.char(0xE0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64) end
  return string.char(0xF0 + math.floor(code / 262144), 0x80 + math.floor(code / 4096) % 64, 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
end

-- Reads one JSON value; raises on what is none.
function M.parse_json(text)
  local at = 1
  local value
  local function skip() at = text:find("[^ \t\r\n]", at) or #text + 1 end
  local function fail() error("no JSON at " .. at, 0) end
  local function string_()
    local parts = {}
    at = at + 1
    while true do
      local stop = text:find('["\\]', at)
      if not stop then fail() end
      parts[#parts + 1] = text:sub(at, stop - 1)
      at = stop + 1
      if text:sub(stop, stop) == '"' then return table.concat(parts) end
      local kind = text:sub(at, at)
      at = at + 1
      if kind == "u" then
        local code = tonumber(text:sub(at, at + 3), 16) or fail()
        at = at + 4
        if code >= 0xD800 and code < 0xDC00 and text:sub(at, at + 1) == "\\u" then
          code = 0x10000 + (code - 0xD800) * 1024 + (tonumber(text:sub(at + 2, at + 5), 16) or fail()) - 0xDC00
          at = at + 6
        end
        parts[#parts + 1] = utf8_of(code)
      else
        parts[#parts + 1] = escapes[kind] or fail()
      end
    end
  end
  local function list(close, one)
    local found = {}
    at = at + 1
    skip()
    if text:sub(at, at) == close then at = at + 1 return found end
    while true do
      one(found)
      skip()
      local mark = text:sub(at, at)
      at = at + 1
      if mark == close then return found end
      if mark ~= "," then fail() end
      skip()
    end
  end
  function value()
    skip()
    local mark = text:sub(at, at)
    if mark == '"' then return string_() end
    if mark == "{" then
      return list("}", function(found)
        if text:sub(at, at) ~= '"' then fail() end
        local key = string_()
        skip()
        if text:sub(at, at) ~= ":" then fail() end
        at = at + 1
        found[key] = value()
      end)
    end
    if mark == "[" then return list("]", function(found) found[#found + 1] = value() end) end
    for word, meaning in pairs({ ["true"] = true, ["false"] = false }) do
      if text:sub(at, at + #word - 1) == word then at = at + #word return meaning end
    end
    if text:sub(at, at + 3) == "null" then at = at + 4 return nil end
    local number = text:match("^-?%d+%.?%d*[eE]?[+-]?%d*", at)
    if not number then fail() end
    at = at + #number
    return tonumber(number)
  end
  return value()
end

local function quoted(text)
  return '"' .. tostring(text):gsub('[%c"\\]', function(c) return ({ ['"'] = '\\"', ["\\"] = "\\\\" })[c] or string.format("\\u%04x", c:byte()) end) .. '"'
end

-- ---- time ----

-- "23.976", "24", "29.97 DF": numerator, denominator, frames counted in a second, and whether labels drop.
function M.rate_of(fps, drops)
  local text = tostring(fps)
  local number = tonumber(text:match("[%d.]+"))
  drops = drops or text:find("DF") ~= nil
  local whole = math.floor(number + 0.5)
  if math.abs(number - whole) < 0.002 then return { number = whole, by = 1, nominal = whole, drops = false } end
  return { number = math.floor(number * 1.001 + 0.5) * 1000, by = 1001, nominal = whole, drops = drops and whole % 30 == 0 }
end

-- Frames from 00:00:00:00 to a label.
function M.frame_of(label, rate)
  local h, m, s, f = label:match("(%d+)[:;.](%d+)[:;.](%d+)[:;.](%d+)")
  if not h then return nil end
  h, m, s, f = tonumber(h), tonumber(m), tonumber(s), tonumber(f)
  local frames = ((h * 60 + m) * 60 + s) * rate.nominal + f
  if not (rate.drops or label:find(";")) then return frames end
  local minutes = h * 60 + m
  return frames - rate.nominal / 15 * (minutes - math.floor(minutes / 10))
end

-- ---- the timeline ----

local function clip_property(item, name)
  local ok, value = pcall(function() return item:GetMediaPoolItem():GetClipProperty(name) end)
  if ok and value ~= "" then return value end
end

-- What a version of Resolve may not have; nil then.
local function known(object, method, ...)
  local ok, value = pcall(function(...) return object[method](object, ...) end, ...)
  if ok then return value end
end

-- Why no frames can be taken of a clip; nil when they can.
local function why_not(clip, rate)
  if not clip.path or not clip.frames then return "has no media of its own" end
  local own = clip.fps and M.rate_of(clip.fps)
  if not own or own.number * rate.by ~= rate.number * own.by then return string.format("has %s frames a second and the timeline another number", clip.fps or "?") end
  -- Shown at another speed it takes more or fewer frames than it shows. Both ends are told up to a frame off.
  local first, last = known(clip.item, "GetSourceStartFrame"), known(clip.item, "GetSourceEndFrame")
  if first and last and math.abs(last - first - (clip.finish - clip.start)) > 2 then return "runs at another speed" end
end

-- What is asked of a clip when it is first wanted, and not of every clip of a film: Resolve takes its time over what is in the media pool.
local asked = {
  path = function(clip) return clip_property(clip.item, "File Path") end,
  fps = function(clip) return clip_property(clip.item, "FPS") end,
  frames = function(clip) return tonumber(clip_property(clip.item, "Frames") or "") end,
  problem = function(clip) return why_not(clip, clip.rate) end,
}
local on_asking = {
  __index = function(clip, name)
    local ask = asked[name]
    if not ask then return nil end
    local answer = ask(clip)
    rawset(clip, name, answer)
    return answer
  end,
}

-- All that is known of the open timeline: rate, start, tracks with their clips in order of time.
function M.read(resolve)
  local project = resolve:GetProjectManager():GetCurrentProject()
  local timeline = project and project:GetCurrentTimeline()
  if not timeline then error("Open a timeline first.", 0) end
  local drops = timeline:GetSetting("timelineDropFrameTimecode")
  local cut = {
    project = project, timeline = timeline, name = timeline:GetName(), start = timeline:GetStartFrame(),
    rate = M.rate_of(timeline:GetSetting("timelineFrameRate"), drops == "1" or drops == 1 or drops == true), tracks = {},
    width = tonumber(timeline:GetSetting("timelineResolutionWidth")), height = tonumber(timeline:GetSetting("timelineResolutionHeight")),
  }
  local label = timeline:GetCurrentTimecode()
  local playhead = label and M.frame_of(label, cut.rate)
  cut.playhead = playhead and playhead - cut.start
  cut.length = 0
  for number = 1, timeline:GetTrackCount("video") do
    local track = {}
    for _, item in ipairs(timeline:GetItemListInTrack("video", number) or {}) do
      local clip = { item = item, name = item:GetName(), start = item:GetStart() - cut.start, finish = item:GetEnd() - cut.start, left = item:GetLeftOffset() or 0,
        disabled = known(item, "GetClipEnabled") == false, rate = cut.rate }
      track[#track + 1] = setmetatable(clip, on_asking)
      cut.length = math.max(cut.length, clip.finish)
    end
    table.sort(track, function(a, b) return a.start < b.start end)
    track.locked = known(timeline, "GetIsTrackLocked", "video", number) == true
    cut.tracks[number] = track
  end
  local marks = timeline.GetMarkInOut and timeline:GetMarkInOut() or {}
  local video = marks.video or marks.all or {}
  -- The out mark is the last frame that belongs.
  if video["in"] and video.out then cut.first, cut.last = video["in"], video.out + 1 end
  return cut
end

local function clip_at(track, frame)
  for _, clip in ipairs(track) do if clip.start <= frame and frame < clip.finish then return clip end end
end

local function is_free(track, first, last)
  if track.locked then return false end
  for _, clip in ipairs(track) do if clip.start < last and first < clip.finish then return false end end
  return true
end

-- The topmost gap between two clips that the playhead is in.
local function gap_at(cut, frame)
  for number = #cut.tracks, 1, -1 do
    local track, before, after = cut.tracks[number], nil, nil
    for index, clip in ipairs(track) do
      if clip.finish <= frame then before = clip elseif clip.start > frame and not after then after = clip end
      if clip.start <= frame and frame < clip.finish then before, after = nil, nil break end
    end
    if before and after then return number, before, after end
  end
end

local function marker_of(cut)
  local first, last = cut.playhead, cut.playhead and cut.playhead + 1
  local found, at
  for frame, marker in pairs(cut.timeline:GetMarkers() or {}) do
    local length = math.max(1, marker.duration or 1)
    local covers = first and frame < last and first < frame + length or cut.first and cut.first <= frame and frame < cut.last
    if covers and marker.note and marker.note:find("%S") and marker.customData ~= "editorbridge" and (not at or frame < at) then found, at = marker, frame end
  end
  return found
end

-- What to make: kind, range, neighbours, prompt. Raises one sentence when it cannot be told.
function M.wish(cut, ask)
  local marker = marker_of(cut)
  local word = marker and marker.name and marker.name:lower():gsub("[^%w ]", "") or ""
  local prompt = marker and marker.note
  -- Resolve itself calls markers "Marker 1", "Marker 2": only a number after "Extend" says a length.
  local wish = { frames = tonumber(word:match("extend%D*(%d+)")) or 2 * cut.rate.nominal, seed = prompt and prompt:match("seed=(%d+)") }
  local track, before, after
  if cut.playhead then track, before, after = gap_at(cut, cut.playhead) end
  local on
  for number = #cut.tracks, 1, -1 do
    on = on or cut.playhead and clip_at(cut.tracks[number], cut.playhead) and { number, clip_at(cut.tracks[number], cut.playhead) }
  end
  if word:find("fill") or (word:find("^%s*$") or not (word:find("roll") or word:find("extend"))) and before and not cut.first then
    if not before then error("The playhead is in no gap between two clips; put it there to fill one.", 0) end
    wish.kind, wish.track, wish.before, wish.after, wish.first, wish.last = "fill", track, before, after, before.finish, after.start
  elseif word:find("roll") or cut.first and not word:find("extend") then
    if not cut.first then error("Mark in and out for B-roll.", 0) end
    wish.kind, wish.first, wish.last = "broll", cut.first, cut.last
  elseif on then
    wish.kind, wish.track, wish.clip, wish.head = "extend", on[1], on[2], word:find("head") ~= nil
    if wish.head then wish.first, wish.last = wish.clip.start - wish.frames, wish.clip.start
    else wish.first, wish.last = wish.clip.finish, wish.clip.finish + wish.frames end
    if wish.first < 0 then error("There are not so many frames before the clip on the timeline.", 0) end
  else
    error("Mark in and out for B-roll, or put the playhead in a gap or on a clip.", 0)
  end
  for _, shot in ipairs({ wish.clip or wish.before, wish.after }) do
    if shot.problem then error(string.format("%s %s, so nothing can go on from its frames: render it in place first.", shot.name, shot.problem), 0) end
  end
  if wish.track and wish.kind == "fill" and cut.tracks[wish.track].locked then error(string.format("V%d is locked: unlock it first.", wish.track), 0) end
  if not prompt and ask then prompt = ask(wish) end
  if not prompt or not prompt:find("%S") then
    error("Add a marker at the playhead whose note says what is to be seen, and run the script again.", 0)
  end
  wish.prompt = prompt:gsub("seed=%d+", ""):gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")
  return wish
end

-- ---- the hand-over ----

local function file_url(path)
  path = path:gsub("\\", "/")
  if path:find("^%a:") then path = "/" .. path end
  return "file://" .. path:gsub("[^%w/._~:-]", function(c) return string.format("%%%02X", c:byte()) end)
end

-- The cut as OpenTimelineIO, one track for each of Resolve's. Clips at another rate, and those that the wish goes on from no frame of, only mark their place.
function M.to_otio(cut, wish)
  local function goes_on_from(clip) return clip == wish.clip or clip == wish.before or clip == wish.after end
  local rate = cut.rate.number .. (cut.rate.by == 1 and ".0" or "")
  if cut.rate.by ~= 1 then rate = string.format("%.15g", cut.rate.number / cut.rate.by) end
  local function range(first, frames)
    local function time(value) return string.format('{"OTIO_SCHEMA": "RationalTime.1", "rate": %s, "value": %d.0}', rate, value) end
    return string.format('{"OTIO_SCHEMA": "TimeRange.1", "start_time": %s, "duration": %s}', time(first), time(frames))
  end
  local function gap(frames) return string.format('{"OTIO_SCHEMA": "Gap.1", "name": "", "source_range": %s}', range(0, frames)) end
  local tracks = {}
  for number, track in ipairs(cut.tracks) do
    local children, at = {}, 0
    for _, clip in ipairs(track) do
      if clip.start > at then children[#children + 1] = gap(clip.start - at) end
      local media = '{"OTIO_SCHEMA": "MissingReference.1", "name": "", "metadata": {}}'
      if goes_on_from(clip) and not clip.problem then
        media = string.format('{"OTIO_SCHEMA": "ExternalReference.1", "name": "", "metadata": {}, "available_range": %s, "target_url": %s}', range(0, clip.frames), quoted(file_url(clip.path)))
      end
      children[#children + 1] = string.format(
        '{"OTIO_SCHEMA": "Clip.2", "name": %s, "metadata": {}, "source_range": %s, "effects": [], "markers": [], "enabled": %s, "media_references": {"DEFAULT_MEDIA": %s}, "active_media_reference_key": "DEFAULT_MEDIA"}',
        quoted(clip.name), range(clip.left, clip.finish - clip.start), clip.disabled and "false" or "true", media)
      at = clip.finish
    end
    -- A range past the last clip is still part of the timeline.
    local length = math.max(cut.length, cut.last or 0)
    if length > at then children[#children + 1] = gap(length - at) end
    tracks[number] = string.format('{"OTIO_SCHEMA": "Track.1", "name": "V%d", "kind": "Video", "children": [%s]}', number, table.concat(children, ", "))
  end
  local begin = string.format('{"OTIO_SCHEMA": "RationalTime.1", "rate": %s, "value": %d.0}', rate, cut.start)
  return string.format('{"OTIO_SCHEMA": "Timeline.1", "name": %s, "global_start_time": %s, "tracks": {"OTIO_SCHEMA": "Stack.1", "name": "tracks", "children": [%s]}}\n',
    quoted(cut.name), begin, table.concat(tracks, ",\n"))
end

-- One word of a command line, which the shell takes as it is.
function M.word(text)
  text = tostring(text)
  -- cmd.exe expands %NAME% even in quotes and has no escape for a quote that every program reads, so both are left out.
  if windows then return '"' .. text:gsub('["%%\r\n]', " "):gsub("(\\+)$", "%1%1") .. '"' end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- How the clip is compressed: the free edition on Linux reads no H.264.
local function codec() return (jit and jit.os or (windows and "Windows") or "") == "Linux" and "dnxhr" or "prores" end

-- The arguments of the program for a wish.
function M.arguments(cut, wish, timeline, out, media)
  local words = { wish.kind, "--timeline", timeline, "--out", out, "--media-dir", media, "--prompt", wish.prompt, "--codec", codec(), "--json" }
  local function add(...) for _, word in ipairs({ ... }) do words[#words + 1] = word end end
  if cut.width and cut.height then add("--size", cut.width .. "x" .. cut.height) end
  if wish.seed then add("--seed", wish.seed) end
  if wish.kind == "broll" then
    add("--in", wish.first, "--out-point", wish.last)
  elseif wish.kind == "fill" then
    local number = 0
    local at = 0
    for _, clip in ipairs(cut.tracks[wish.track]) do
      if clip.start > at then number = number + 1 end
      if clip == wish.after then break end
      at = clip.finish
    end
    add("--track", wish.track, "--gap", number)
  else
    -- By its place: Resolve names clips after their media, so several pieces of a shot have one name.
    add("--track", wish.track, "--in", wish.clip.start, "--frames", wish.frames)
    if wish.head then add("--head") end
  end
  return words
end

-- Runs the program and hands each event to `each`; returns its `done` event or raises its error.
local function run(program, words, each)
  local line = { M.word(program) }
  for _, word in ipairs(words) do line[#line + 1] = M.word(word) end
  local command = table.concat(line, " ")
  -- cmd.exe takes off the outermost quotes.
  local pipe = assert(io.popen(windows and '"' .. command .. '"' or command .. " 2>/dev/null", "r"))
  local done, problem
  for text in pipe:lines() do
    local ok, event = pcall(M.parse_json, text)
    if ok and type(event) == "table" then
      if event.event == "done" then done = event elseif event.event == "error" then problem = event.message else each(event) end
    end
  end
  pipe:close()
  if not done then error(problem or "The editorbridge program could not be run: put it on the path, or name it in EDITORBRIDGE_CLI.", 0) end
  return done
end

-- Lets the host start and look into the clips of a wish meanwhile, so that the job need not wait for it. Whatever goes wrong here, the job itself will say.
function M.look(cut, wish)
  local paths = {}
  for _, shot in ipairs({ wish.clip or wish.before, wish.after }) do paths[#paths + 1] = shot.path end
  -- B-roll goes on from no clip; one that lies under it does for the start of the host.
  for number = #cut.tracks, 1, -1 do
    local under = clip_at(cut.tracks[number], wish.first)
    if #paths == 0 and under then paths[1] = under.path end
  end
  if #paths == 0 then return end
  local line = { M.word(os.getenv("EDITORBRIDGE_CLI") or PROGRAM), "media", "show" }
  for _, path in ipairs(paths) do line[#line + 1] = M.word(path) end
  local command = table.concat(line, " ")
  pcall(function() os.execute(windows and 'start "" /b ' .. command .. " >nul 2>&1" or command .. " </dev/null >/dev/null 2>&1 &") end)
end

-- ---- the way back ----

local function find_placed(timeline, track, record)
  for _, item in ipairs(timeline:GetItemListInTrack("video", track) or {}) do if item:GetStart() == record then return item end end
end

-- Places frames of a medium at exactly [first, first + frames) on a track. Resolve drops silently what does not fit, hands out items that are none, and its
-- versions differ in whether endFrame belongs; so the track is read again each time, and the length corrected by one. Raises when it cannot be had.
function M.place(cut, media, from, track, first, frames)
  local pool, record = cut.project:GetMediaPool(), cut.start + first
  local tried
  for _, off in ipairs({ 0, -1, 1 }) do
    pool:AppendToTimeline({ { mediaPoolItem = media, startFrame = from, endFrame = from + frames + off, trackIndex = track, recordFrame = record, mediaType = 1 } })
    local item = find_placed(cut.timeline, track, record)
    if not item then break end
    if item:GetDuration() == frames then return item end
    tried = item:GetDuration()
    cut.timeline:DeleteClips({ item }, false)
    if find_placed(cut.timeline, track, record) then break end
  end
  if tried then error(string.format("Resolve placed %d frames instead of %d; the clip is in the media pool, place it by hand.", tried, frames), 0) end
  error("Resolve did not place the clip: the place on the track is taken. It is in the media pool, place it by hand.", 0)
end

-- The lowest track, above every clip in the range, on which it is free; made when there is none.
local function free_track(cut, first, last)
  local lowest = 1
  for number, track in ipairs(cut.tracks) do if not is_free(track, first, last) then lowest = number + 1 end end
  if lowest > #cut.tracks then
    if not cut.timeline:AddTrack("video") then error("Resolve made no new video track for the clip.", 0) end
    lowest = cut.timeline:GetTrackCount("video")
    cut.tracks[lowest] = {}
  end
  return lowest
end

local function describe(media, wish, clip)
  media:SetMetadata({ Description = wish.prompt, Comments = string.format("EditorBridge %s %s seed %s", wish.kind, clip.job or "", tostring(clip.seed or "")), Keywords = "AI generated" })
  for key, value in pairs({ job = clip.job, seed = clip.seed, prompt = wish.prompt, kind = wish.kind, sidecar = clip.sidecar }) do
    if media.SetThirdPartyMetadata then media:SetThirdPartyMetadata("editorbridge." .. key, tostring(value)) end
  end
end

-- Puts what the program made on the timeline. Returns how many frames, and on which track.
function M.insert(cut, wish, done)
  local pool = cut.project:GetMediaPool()
  local track
  for _, clip in ipairs(done.clips) do
    local first, frames = clip.record_start, clip.frames
    local wanted = wish.kind ~= "broll" and is_free(cut.tracks[wish.track], first, first + frames) and wish.track or nil
    track = wanted or track and is_free(cut.tracks[track], first, first + frames) and track or free_track(cut, first, first + frames)
    local media, from
    if clip.kind == "handles" then
      -- Frames that the shot itself still has.
      media, from = wish.clip.item:GetMediaPoolItem(), wish.clip.left + first - wish.clip.start
    else
      local imported = pool:ImportMedia({ clip.path })
      media, from = imported and imported[1], 0
      if not media then error("Resolve did not take " .. tostring(clip.path) .. " into the media pool.", 0) end
      describe(media, wish, clip)
    end
    local item = M.place(cut, media, from, track, first, frames)
    cut.tracks[track][#cut.tracks[track] + 1] = { item = item, name = clip.name, start = first, finish = first + frames, left = from }
    for _, path in ipairs(clip.other_takes or {}) do
      local other = pool:ImportMedia({ path })
      if other and other[1] and item.AddTake then item:AddTake(other[1], 0, frames) end
    end
    -- Not where the marker is that said the prompt: there can be one only.
    if clip.kind ~= "handles" then cut.timeline:AddMarker(first, "Purple", "EditorBridge", wish.prompt, frames, "editorbridge") end
  end
  return track
end

local function temporary()
  local name = os.tmpname()
  os.remove(name)
  -- Windows gives names in the root of the drive.
  if windows then name = (os.getenv("TEMP") or ".") .. name:gsub("^.*\\", "\\") end
  return name
end

-- The whole of it. `say` is told one sentence at a time; returns true when a clip is on the timeline.
function M.main(resolve, say, ask)
  local ok, problem = pcall(function()
    local cut = M.read(resolve)
    local wish = M.wish(cut, ask and function(wish)
      M.look(cut, wish)
      return ask(wish)
    end)
    local base = temporary()
    local timeline, out = base .. ".otio", base .. ".new.otio"
    local media = (os.getenv("EDITORBRIDGE_MEDIA") or (os.getenv(windows and "USERPROFILE" or "HOME") or ".") .. (windows and "\\" or "/") .. "EditorBridge")
    local file = assert(io.open(timeline, "wb"))
    file:write(M.to_otio(cut, wish))
    file:close()
    local words = M.arguments(cut, wish, timeline, out, media)
    say(string.format("EditorBridge: %s, %d frames.", wish.kind, wish.last - wish.first))
    local shown
    local done_ok, done = pcall(run, os.getenv("EDITORBRIDGE_CLI") or PROGRAM, words, function(event)
      for _, warning in ipairs(event.event == "plan" and event.warnings or {}) do say(warning) end
      local text = event.event == "progress" and string.format("%s %d%%", event.stage or "", math.floor(10 * (event.fraction or 0)) * 10)
      if text and text ~= shown then shown = text say(text) end
    end)
    os.remove(timeline)
    os.remove(out)
    if not done_ok then error(done, 0) end
    local track = M.insert(cut, wish, done)
    say(string.format("EditorBridge: the clip is on V%d.", track))
  end)
  if not ok then say("EditorBridge: " .. tostring(problem)) end
  return ok
end

-- Tests load the functions and bring a Resolve of their own.
if EDITORBRIDGE_LIBRARY then return M end

local application = resolve or (Resolve and Resolve()) or (app and app.GetResolve and app:GetResolve())
M.main(application, print, function(wish)
  local composition = fusion and fusion.GetCurrentComp and fusion:GetCurrentComp() or comp
  if not composition or not composition.AskUser then return nil end
  local answer = composition:AskUser("EditorBridge: " .. wish.kind, { { "Prompt", "Text", Lines = 4, Default = "" } })
  return answer and answer.Prompt
end)
