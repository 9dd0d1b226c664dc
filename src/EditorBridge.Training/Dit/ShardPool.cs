namespace EditorBridge.Training.Dit;

/// <summary>The shards of a folder, in memory; looks for new ones now and then.</summary>
internal sealed class ShardPool
{
    private readonly string _folder;
    private readonly HashSet<string> _known = [];
    private readonly List<LatentShard> _small = [], _canvas = [], _alone = [];
    private List<LatentShard> _pictures = [];
    private int _picks;

    public ShardPool(string folder)
    {
        _folder = folder;
        Refresh();
    }

    /// <summary>Clips in memory.</summary>
    public int Clips => _small.Sum(s => s.Scenes.Count) + _canvas.Sum(s => s.Scenes.Count);

    /// <summary>Single frames in memory, the clips' first ones among them.</summary>
    public int Pictures => _pictures.Sum(s => s.Scenes.Count);

    /// <summary>A shard; of the other kind while there is none of the kind asked for. Waits until there is any.</summary>
    public LatentShard Pick(SeededRandom random, bool small)
    {
        while (_picks++ % 20 == 0 || Clips == 0)
        {
            Refresh();
            if (Clips == 0)
            {
                Thread.Sleep(1000);
            }
        }

        var wanted = small && _small.Count > 0 || _canvas.Count == 0 ? _small : _canvas;
        return random.Pick(wanted);
    }

    /// <summary>All single frames of one size, the sizes as often as they have frames.</summary>
    public LatentShard PickPictures(SeededRandom random)
    {
        int row = random.Next(_pictures.Sum(p => p.Scenes.Count));
        return _pictures.First(p => (row -= p.Scenes.Count) < 0);
    }

    private void Refresh()
    {
        int known = _known.Count;
        foreach (string path in Directory.GetFiles(_folder, "*.safetensors"))
        {
            if (_known.Add(path))
            {
                var shard = LatentShard.Read(path);
                (shard.HasPicturesAlone ? _alone : shard.Width * shard.Height < 25_000 ? _small : _canvas).Add(shard);
            }
        }

        if (_known.Count > known)
        {
            _pictures = [.. _small.Concat(_canvas).Concat(_alone).GroupBy(shard => (shard.Width, shard.Height)).Select(same => LatentShard.Pictures([.. same]))];
        }
    }
}
