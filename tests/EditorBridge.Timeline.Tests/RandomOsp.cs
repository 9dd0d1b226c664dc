using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace EditorBridge.Timeline.Tests;

/// <summary>A random OpenShot project: gaps, clips that overlap, masks, keyframes, clips in any order, numbers whole or not, in one line or many.</summary>
internal sealed class RandomOsp
{
    private static readonly FrameRate[] Rates = [FrameRate.Film, FrameRate.F24, FrameRate.Pal, FrameRate.Ntsc, new(60000, 1001)];

    public RandomOsp(int seed)
    {
        var random = new Random(seed);
        var rate = Rates[random.Next(Rates.Length)];
        var (layers, clips, masks) = (new JsonArray(), new List<JsonObject>(), new JsonArray());
        JsonNode Time(int frames)
        {
            var seconds = (double)frames * rate.Denominator / rate.Numerator;
            // OpenShot adds and subtracts seconds, which leaves them a little beside the frame.
            return random.Next(4) == 0 ? JsonValue.Create(seconds + 1e-9) : seconds == Math.Floor(seconds) && random.Next(2) == 0 ? JsonValue.Create((long)seconds) : JsonValue.Create(seconds);
        }

        for (var layer = random.Next(1, 4); layer > 0; layer--)
        {
            layers.Add(new JsonObject { ["id"] = $"L{layer}", ["number"] = layer * 1000000, ["label"] = "", ["lock"] = false });
            var (at, free) = (0, 0);
            for (var i = random.Next(0, 6); i > 0; i--)
            {
                if (random.Next(3) == 0)
                {
                    at += random.Next(1, 60);
                    free = 0;
                }

                var length = random.Next(20, 90);
                var mix = free > 8 && random.Next(3) == 0 ? random.Next(1, 8) : 0;
                at -= mix;
                var source = random.Next(10, 60);
                var name = $"V{layer}.{i}";
                var clip = new JsonObject
                {
                    ["id"] = name,
                    ["position"] = Time(at),
                    ["start"] = Time(source),
                    ["layer"] = layer * 1000000,
                    ["end"] = Time(source + length),
                    ["title"] = name,
                    ["reader"] = new JsonObject { ["path"] = $"/media/é {name}.mov", ["duration"] = Time(200), ["has_audio"] = random.Next(4) == 0 },
                };
                if (random.Next(8) == 0) clip["effects"] = new JsonArray(new JsonObject { ["type"] = "Blur", ["name"] = "Blur" });
                if (random.Next(9) == 0) clip["time"] = new JsonObject { ["Points"] = new JsonArray(new JsonObject(), new JsonObject()) };
                if (mix > 0 && random.Next(2) == 0) masks.Add(new JsonObject { ["type"] = "Mask", ["layer"] = layer * 1000000, ["position"] = Time(at), ["start"] = 0, ["end"] = Time(mix) });
                clips.Add(clip);
                at += length;
                free = length - 8;
            }
        }

        var root = new JsonObject
        {
            ["fps"] = new JsonObject { ["num"] = rate.Numerator, ["den"] = rate.Denominator },
            ["duration"] = 1.0,
            ["layers"] = layers,
            ["files"] = new JsonArray(),
            ["clips"] = new JsonArray([.. clips.OrderBy(_ => random.Next())]),
            ["effects"] = masks,
            ["markers"] = new JsonArray(new JsonObject { ["position"] = 2.0 }),
        };
        var text = root.ToJsonString(new JsonSerializerOptions { WriteIndented = random.Next(3) > 0, IndentSize = random.Next(0, 5), NewLine = random.Next(2) == 0 ? "\n" : "\r\n" });
        Bytes = Encoding.UTF8.GetBytes((random.Next(4) == 0 ? "\uFEFF" : "") + text.ToString(CultureInfo.InvariantCulture));
    }

    public byte[] Bytes { get; }
}
