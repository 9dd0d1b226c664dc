-- luajit tests.lua SCRIPT FAKE            the script's parts against the fake
-- luajit tests.lua SCRIPT FAKE A B SAYS   the whole way with the real program: A and B are films of 60 frames
EDITORBRIDGE_LIBRARY = true
local M, Fake = dofile(arg[1]), dofile(arg[2])

local function equal(wanted, got, what)
  if wanted ~= got then error(string.format("%s: wanted %s, got %s", what or "", tostring(wanted), tostring(got)), 2) end
end
local function refused(words, action, ...)
  local ok, problem = pcall(action, ...)
  assert(not ok, "it was not refused: " .. words)
  assert(tostring(problem):find(words, 1, true), "'" .. tostring(problem) .. "' says nothing of " .. words)
end
local function marker(note, name) return { note = note, name = name or "", duration = 1 } end

local tests = {}

function tests.json()
  local read = M.parse_json('{"a": [1, -2.5e1, "x\\n\\u00e4\\ud83c\\udfac"], "b": {"c": null, "d": true, "e": false}, "f": []}')
  equal(-25, read.a[2])
  equal("x\n\195\164\240\159\142\172", read.a[3])
  equal(true, read.b.d)
  equal(0, #read.f)
  for _, bad in ipairs({ "", "{", '{"a"', '{"a":}', "[1,", '"\\x"', "nope", '{"a":1,}', '"\\ud83c\\uZZZZ"' }) do assert(not pcall(M.parse_json, bad), bad) end
end

function tests.time()
  equal(86400, M.frame_of("01:00:00:00", M.rate_of("24")))
  equal(24000, M.rate_of("23.976").number)
  equal(24000, M.rate_of("23.98").number)
  equal(107892, M.frame_of("01:00:00;00", M.rate_of("29.97 DF")))
  equal(1800, M.frame_of("00:01:00;02", M.rate_of("29.97", true)))
  equal(3600, M.frame_of("00:01:00;04", M.rate_of("59.94", true)))
  equal(108000, M.frame_of("01:00:00:00", M.rate_of("29.97")))
end

function tests.words_stay_one_word()
  equal([['it'\''s; $(rm) "x"']], M.word([[it's; $(rm) "x"]]))
end

function tests.wishes()
  local resolve = Fake.new({ timecode = "01:00:01:00", markers = { [24] = marker("a river  seed=7 at dawn") } })
  resolve.timeline:put(1, "A", 0, 20, 5, "/a.mov")
  resolve.timeline:put(1, "B", 40, 20, 0, "/b.mov")
  local wish = M.wish(M.read(resolve))
  equal("fill", wish.kind)
  equal(20, wish.first)
  equal(40, wish.last)
  equal("a river at dawn", wish.prompt)
  equal("7", wish.seed)

  resolve = Fake.new({ timecode = "01:00:00:10", marks = { ["in"] = 5, out = 14 }, markers = { [8] = marker("fog") } })
  resolve.timeline:put(1, "A", 0, 30, 0, "/a.mov")
  wish = M.wish(M.read(resolve))
  equal("broll", wish.kind)
  equal(5, wish.first)
  equal(15, wish.last)

  resolve = Fake.new({ timecode = "01:00:00:10", markers = { [10] = marker("fog", "Extend Head 12") } })
  resolve.timeline:put(1, "A", 5, 30, 20, "/a.mov")
  refused("not so many frames before", M.wish, M.read(resolve))
  resolve.timeline.markers[10].name = "Extend 12"
  wish = M.wish(M.read(resolve))
  equal("extend", wish.kind)
  equal(35, wish.first)
  equal(47, wish.last)

  refused("Add a marker", M.wish, M.read(Fake.new({ marks = { ["in"] = 0, out = 9 } })))
  equal("asked", M.wish(M.read(Fake.new({ marks = { ["in"] = 0, out = 9 } })), function() return "asked" end).prompt)
  refused("Mark in and out", M.wish, M.read(Fake.new({ markers = { [0] = marker("x") } })))
  refused("Open a timeline", M.read, Fake.new({ closed = true }))
end

function tests.only_a_number_after_extend_says_a_length()
  -- Resolve names markers so by itself.
  local resolve = Fake.new({ timecode = "01:00:00:10", markers = { [10] = marker("fog", "Marker 3") } })
  resolve.timeline:put(1, "A", 5, 30, 20, "/a.mov")
  equal(48, M.wish(M.read(resolve)).frames)
  resolve.timeline.markers[10].name = "3: extend by 7 frames"
  equal(7, M.wish(M.read(resolve)).frames)
end

function tests.a_piece_of_a_shot_is_meant_by_its_place()
  local resolve = Fake.new({ timecode = "01:00:00:20", markers = { [20] = marker("fog") } })
  resolve.timeline:put(1, "shot.mov", 0, 10, 0, "/shot.mov")
  resolve.timeline:put(1, "shot.mov", 15, 10, 40, "/shot.mov")
  local cut = M.read(resolve)
  local words = table.concat(M.arguments(cut, M.wish(cut), "in", "out", "media"), " ")
  assert(words:find("--track 1 --in 15 --frames 48", 1, true), words)
  assert(not words:find("--clip", 1, true), words)
end

function tests.another_speed_is_refused_and_a_disabled_clip_is_said()
  local resolve = Fake.new({ timecode = "01:00:00:10", markers = { [10] = marker("fog") } })
  local item = resolve.timeline:put(1, "A", 5, 30, 20, "/a.mov")
  item.speed = 2
  refused("another speed", M.wish, M.read(resolve))
  item.speed, item.disabled = 1, true
  assert(M.to_otio(M.read(resolve), {}):find('"enabled": false', 1, true))
  item.speed = 1.02
  M.wish(M.read(resolve))
  resolve = Fake.new({ timecode = "01:00:00:10", markers = { [10] = marker("fog") } })
  resolve.timeline:put(1, "A", 5, 48, 20, "/a.mov", "50")
  refused("A has 50 frames a second", M.wish, M.read(resolve))
  resolve = Fake.new({ timecode = "01:00:00:10", markers = { [10] = marker("fog") } })
  resolve.timeline:put(1, "Title", 5, 48, 20, "/a.mov").media = nil
  refused("Title has no media of its own", M.wish, M.read(resolve))
end

function tests.media_are_asked_about_only_where_a_job_goes_on_from_them()
  local resolve = Fake.new({ timecode = "01:00:50:05", markers = { [1205] = marker("fog", "Fill") } })
  for number = 0, 299 do resolve.timeline:put(1, "S" .. number, 12 * number, 10, 0, string.format("/s%d.mov", number)) end
  resolve.timeline:put(2, "T", 0, 3600, 0, "/t.mov")
  table.remove(resolve.timeline.tracks[1], 101)
  Fake.asked = {}
  local cut = M.read(resolve)
  local wish = M.wish(cut)
  local otio = M.to_otio(cut, wish)
  local paths = {}
  for path in pairs(Fake.asked) do paths[#paths + 1] = path end
  table.sort(paths)
  equal("/s101.mov /s99.mov", table.concat(paths, " "))
  assert(otio:find("file:///s99.mov", 1, true) and otio:find("file:///s101.mov", 1, true) and not otio:find("file:///s98.mov", 1, true))
end

function tests.locked_tracks_are_left_alone()
  local resolve = Fake.new({ any_file = true, locked = { [2] = true }, marks = { ["in"] = 5, out = 14 }, markers = { [8] = marker("fog") } })
  resolve.timeline:put(1, "A", 0, 30, 0, "/a.mov")
  resolve.timeline:put(2, "T", 100, 2, 0, "/t.mov")
  local cut = M.read(resolve)
  equal(3, M.insert(cut, M.wish(cut), { clips = { { kind = "broll", path = "/n.mov", record_start = 5, frames = 10 } } }))
  resolve = Fake.new({ locked = { true }, timecode = "01:00:01:00", markers = { [24] = marker("fog") } })
  resolve.timeline:put(1, "A", 0, 20, 5, "/a.mov")
  resolve.timeline:put(1, "B", 40, 20, 0, "/b.mov")
  refused("V1 is locked", M.wish, M.read(resolve))
end

local function placed(options, prepare, first, frames, track)
  local resolve = Fake.new(options)
  if prepare then prepare(resolve.timeline) end
  local cut = M.read(resolve)
  local pool = cut.project:GetMediaPool()
  local item = M.place(cut, pool:ImportMedia({ "/new.mov" })[1], 0, track or 1, first, frames)
  equal(cut.start + first, item:GetStart())
  equal(frames, item:GetDuration())
  assert(item:GetName() ~= "phantom")
  return resolve.timeline
end

function tests.places_exactly_whether_or_not_the_end_belongs()
  placed({ any_file = true }, nil, 20, 10)
  local timeline = placed({ any_file = true, inclusive = true }, nil, 20, 10)
  equal(1, #timeline.tracks[1], "what was placed too long is gone again")
end

function tests.a_place_that_is_taken_is_said()
  refused("is taken", placed, { any_file = true }, function(timeline) timeline:put(1, "A", 25, 20, 0, "/a.mov") end, 20, 10)
end

function tests.a_floored_length_is_corrected_or_said()
  -- 12 frames asked for become 11 where the media's rate is another; one more frame is tried, and what is still wrong is taken away again.
  refused("instead of 12", placed, { any_file = true, media_fps = "48" }, nil, 20, 12)
  local resolve = Fake.new({ any_file = true, media_fps = "23.976" })
  local cut = M.read(resolve)
  local item = M.place(cut, cut.project:GetMediaPool():ImportMedia({ "/new.mov" })[1], 0, 1, 20, 12)
  equal(12, item:GetDuration())
  equal(1, #resolve.timeline.tracks[1])
end

function tests.broll_goes_above_and_takes_are_kept()
  local resolve = Fake.new({ any_file = true, marks = { ["in"] = 5, out = 14 }, markers = { [8] = marker("fog") } })
  resolve.timeline:put(1, "A", 0, 30, 0, "/a.mov")
  resolve.timeline:put(2, "T", 10, 2, 0, "/t.mov")
  local cut = M.read(resolve)
  local wish = M.wish(cut)
  local track = M.insert(cut, wish, { clips = { { kind = "broll", path = "/n.mov", record_start = 5, frames = 10, job = "jobs/j1", seed = 3, other_takes = { "/n2.mov" } } } })
  equal(3, track)
  local item = resolve.timeline.tracks[3][1]
  equal(86405, item:GetStart())
  equal("jobs/j1", item.media.third["editorbridge.job"])
  equal("3", item.media.third["editorbridge.seed"])
  equal("fog", item.media.metadata.Description)
  equal(1, #item.takes)
  equal("fog", resolve.timeline.markers[5].note)
  -- Run again: our own marker is no prompt, the user's still is, and the new clip goes above the old one.
  local again = M.read(resolve)
  equal("fog", M.wish(again).prompt)
  equal(4, M.insert(again, M.wish(again), { clips = { { kind = "broll", path = "/m.mov", record_start = 5, frames = 10 } } }))
end

function tests.frames_the_shot_still_has_come_from_the_shot()
  local resolve = Fake.new({ any_file = true, timecode = "01:00:00:10", markers = { [10] = marker("fog", "Extend 12") } })
  resolve.timeline:put(1, "A", 5, 30, 20, "/a.mov")
  local cut = M.read(resolve)
  M.insert(cut, M.wish(cut), { clips = { { kind = "handles", record_start = 35, frames = 4 }, { kind = "extend", path = "/n.mov", record_start = 39, frames = 8 } } })
  local track = resolve.timeline.tracks[1]
  equal(3, #track)
  equal(50, track[2].left)
  equal("/a.mov", track[2].media.path)
  equal(86439, track[3]:GetStart())
end

-- Runs the script up to the window that asks for the prompt, which is closed; returns the shell's command lines before it opened, and what was said.
local function asked_with(resolve, program, execute)
  local real_execute, real_getenv, lines, said, opened = os.execute, os.getenv, {}, {}, false
  os.execute = function(line) lines[#lines + 1] = line return execute and execute(line) or 0 end
  os.getenv = function(name) if name == "EDITORBRIDGE_CLI" then return program end return real_getenv(name) end
  local ok, problem = pcall(M.main, resolve, function(text) said[#said + 1] = text end, function() opened = #lines return nil end)
  os.execute, os.getenv = real_execute, real_getenv
  assert(ok, problem)
  equal(#lines, opened or #lines, "all of it before the window opened")
  return lines, said
end

function tests.the_host_looks_into_the_clips_while_the_prompt_is_written()
  local resolve = Fake.new({ timecode = "01:00:01:00" })
  resolve.timeline:put(1, "A", 0, 20, 5, "/a film's.mov")
  resolve.timeline:put(1, "B", 40, 20, 0, "/b.mov")
  local lines, said = asked_with(resolve, "/opt/editor bridge")
  equal(1, #lines)
  equal([['/opt/editor bridge' media show '/a film'\''s.mov' '/b.mov' </dev/null >/dev/null 2>&1 &]], lines[1])
  equal(1, #said, "it says nothing of it")

  resolve = Fake.new({ timecode = "01:00:00:10" })
  resolve.timeline:put(1, "A", 5, 30, 20, "/a.mov")
  equal("'editorbridge' media show '/a.mov' </dev/null >/dev/null 2>&1 &", asked_with(resolve)[1])

  resolve = Fake.new({ marks = { ["in"] = 5, out = 14 } })
  equal(0, #asked_with(resolve), "there is nothing to look into")
  resolve.timeline:put(1, "T", 0, 30, 0, "/t.mov").media = nil
  equal(0, #asked_with(resolve), "a title has no file")
  resolve.timeline:put(2, "C", 0, 30, 0, "/c.mov")
  resolve.timeline:put(3, "T", 0, 30, 0, "/t.mov").media = nil
  equal("'editorbridge' media show '/c.mov' </dev/null >/dev/null 2>&1 &", asked_with(resolve)[1])

  -- A shell that cannot be had troubles nobody.
  local _, problems = asked_with(resolve, nil, function() error("no shell") end)
  equal("EditorBridge: Add a marker at the playhead whose note says what is to be seen, and run the script again.", problems[1])
end

function tests.the_real_shell_does_not_wait_for_it()
  if package.config:sub(1, 1) == "\\" then return end
  local name = os.tmpname()
  local program, calls = name .. " it's", name .. ".calls"
  local file = assert(io.open(program, "w"))
  file:write("#!/bin/sh\nsleep 1\nprintf '%s|' \"$@\" > '" .. calls .. ".new'\nmv '" .. calls .. ".new' '" .. calls .. "'\n")
  file:close()
  os.execute("chmod +x " .. M.word(program))
  local resolve = Fake.new({ timecode = "01:00:00:10" })
  resolve.timeline:put(1, "A", 5, 30, 20, "/a $(b) 'c'.mov")
  asked_with(resolve, program, os.execute)
  assert(not io.open(calls), "it was waited for")
  for _ = 1, 100 do
    file = io.open(calls)
    if file then break end
    os.execute("sleep 0.1")
  end
  local words = file and file:read("*a") or "it was not called"
  if file then file:close() end
  for _, made in ipairs({ name, program, calls }) do os.remove(made) end
  equal("media|show|/a $(b) 'c'.mov|", words)
end

function tests.whatever_goes_wrong_is_one_sentence()
  local said = {}
  equal(false, M.main(Fake.new({ closed = true }), function(text) said[#said + 1] = text end))
  equal("EditorBridge: Open a timeline first.", said[1])
end

if arg[3] then
  -- The whole way: a gap of ten frames is filled between two real films by the real program.
  local said = {}
  local resolve = Fake.new({ timecode = "01:00:01:10", markers = { [34] = marker("the shot goes on seed=3") } })
  local timeline = resolve.timeline
  timeline:put(1, "A", 0, 30, 20, arg[3], "24", 60)
  timeline:put(1, "B", 40, 20, 10, arg[4], "24", 60)
  assert(M.main(resolve, function(text) said[#said + 1] = text end), table.concat(said, "\n"))
  equal(3, #timeline.tracks[1])
  local new = timeline.tracks[1][3]
  equal(86430, new:GetStart())
  equal(10, new:GetDuration())
  equal("3", new.media.third["editorbridge.seed"])
  print("made " .. new.media.path)
  print(said[#said])
else
  local count = 0
  for name, test in pairs(tests) do
    local ok, problem = pcall(test)
    if not ok then io.stderr:write(name .. ": " .. tostring(problem) .. "\n") os.exit(1) end
    count = count + 1
  end
  print(count .. " passed")
end
