-- DaVinci Resolve as its scripts see it, with the behaviour that was measured in Studio 19.1 to 21.1: what does not fit on a track is dropped without a
-- word, placed items come back as phantoms, lengths of media at another rate are floored, and versions differ in whether endFrame belongs.

-- `asked`: the paths of media whose properties were asked for.
local Fake = { asked = {} }

local function media(path, fps, frames)
  return {
    path = path, fps = fps, frames = frames, metadata = {}, third = {},
    GetClipProperty = function(self, name)
      Fake.asked[self.path] = true
      return ({ ["File Path"] = self.path, FPS = tostring(self.fps), Frames = tostring(self.frames) })[name] or ""
    end,
    SetMetadata = function(self, values) for key, value in pairs(values) do self.metadata[key] = value end return true end,
    SetThirdPartyMetadata = function(self, key, value)
      assert(type(value) == "string", "values are text")
      self.third[key] = value
      return true
    end,
  }
end

local function item(name, start, frames, left, source)
  return {
    name = name, start = start, frames = frames, left = left, media = source, takes = {},
    GetName = function(self) return self.name end, GetStart = function(self) return self.start end, GetEnd = function(self) return self.start + self.frames end,
    GetClipEnabled = function(self) return not self.disabled end,
    -- Where it begins and ends in its media; the second is a frame off on some items.
    GetSourceStartFrame = function(self) return self.left end, GetSourceEndFrame = function(self) return self.left + math.floor(self.frames * (self.speed or 1)) - 1 end,
    GetDuration = function(self) return self.frames end, GetLeftOffset = function(self) return self.left end, GetMediaPoolItem = function(self) return self.media end,
    AddTake = function(self, taken) self.takes[#self.takes + 1] = taken return true end,
  }
end

-- options: fps, start, timecode, marks, markers, inclusive (endFrame belongs), studio = false, media_fps (of imported files), media_frames
function Fake.new(options)
  local tracks, markers, imported = { {} }, options.markers or {}, {}
  local timeline = {
    tracks = tracks, markers = markers, imported = imported,
    GetName = function() return options.name or 'Cut "1"' end,
    GetStartFrame = function() return options.start or 86400 end,
    GetSetting = function(_, key)
      return ({ timelineFrameRate = options.fps or "24", timelineDropFrameTimecode = options.drops and "1" or "0", timelineResolutionWidth = "256", timelineResolutionHeight = "144" })[key]
    end,
    GetCurrentTimecode = function() return options.timecode or "01:00:00:00" end,
    GetMarkInOut = function() return options.marks and { video = options.marks } or {} end,
    GetTrackCount = function(_, kind) return kind == "video" and #tracks or 0 end,
    GetIsTrackLocked = function(_, kind, number) return kind == "video" and (options.locked or {})[number] == true end,
    GetItemListInTrack = function(_, _, number)
      local list = {}
      for _, one in ipairs(tracks[number] or {}) do list[#list + 1] = one end
      return list
    end,
    GetMarkers = function() return markers end,
    AddMarker = function(_, frame, color, name, note, duration, data)
      if markers[frame] then return false end
      markers[frame] = { color = color, name = name, note = note, duration = duration, customData = data }
      return true
    end,
    AddTrack = function(_, kind) if kind ~= "video" then return false end tracks[#tracks + 1] = {} return true end,
    DeleteClips = function(_, items)
      for _, gone in ipairs(items) do
        for _, track in ipairs(tracks) do for i = #track, 1, -1 do if track[i] == gone then table.remove(track, i) end end end
      end
      return true
    end,
  }
  function timeline:put(number, name, start, frames, left, path, fps, held)
    while #tracks < number do tracks[#tracks + 1] = {} end
    local one = item(name, (options.start or 86400) + start, frames, left, media(path, fps or options.fps or "24", held or 500))
    table.insert(tracks[number], one)
    return one
  end
  local pool = {
    ImportMedia = function(_, paths)
      local found = {}
      for _, path in ipairs(paths) do
        local file = io.open(path, "rb")
        if file or options.any_file then
          if file then file:close() end
          found[#found + 1] = media(path, options.media_fps or options.fps or "24", options.media_frames or 500)
          imported[#imported + 1] = found[#found]
        end
      end
      return found
    end,
    AppendToTimeline = function(_, list)
      local made = {}
      for _, one in ipairs(list) do
        assert(one.mediaType == 1 and one.mediaPoolItem and one.trackIndex, "a whole description is asked for")
        local frames = one.endFrame - one.startFrame + (options.inclusive and 1 or 0)
        local from, to = tonumber(tostring(options.fps or 24):match("[%d.]+")), tonumber(tostring(one.mediaPoolItem.fps):match("[%d.]+"))
        if from ~= to then frames = math.floor(frames * from / to) - 1 end
        local placed = item(one.mediaPoolItem.path, one.recordFrame, frames, one.startFrame, one.mediaPoolItem)
        local track, free = tracks[one.trackIndex], tracks[one.trackIndex] ~= nil and not (options.locked or {})[one.trackIndex]
        for _, other in ipairs(track or {}) do if other.start < placed.start + frames and placed.start < other.start + other.frames then free = false end end
        if free then table.insert(track, placed) end
        -- Whether it was placed or not, something comes back that is no item of the track.
        made[#made + 1] = item("phantom", -1, 0, 0, one.mediaPoolItem)
      end
      return made
    end,
  }
  local project = { GetCurrentTimeline = function() return not options.closed and timeline or nil end, GetMediaPool = function() return pool end }
  return { timeline = timeline, GetProjectManager = function() return { GetCurrentProject = function() return project end } end }
end

return Fake
