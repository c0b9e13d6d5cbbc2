using ScottPlot;
using SkiaSharp;

namespace Lacos.Cli.Curves;

/// <summary>The font of the curves, which is in the tool: a server may have none.</summary>
internal sealed class PlotFont : IFontResolver
{
    /// <summary>Name under which the plot asks for it.</summary>
    public const string Name = "LACoS Plot Sans";

    private static readonly Lazy<SKTypeface> Typeface = new(Load);

    /// <summary>Makes ScottPlot use it for everything.</summary>
    public static void Use()
    {
        lock (Typeface)
        {
            if (Fonts.Default != Name)
            {
                Fonts.FontResolvers.Insert(0, new PlotFont());
                (Fonts.Default, Fonts.Sans, Fonts.Monospace, Fonts.Serif) = (Name, Name, Name, Name);
            }
        }
    }

    public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) => Typeface.Value;

    public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) => Typeface.Value;

    private static SKTypeface Load()
    {
        using Stream stream = typeof(PlotFont).Assembly.GetManifestResourceStream("plot-sans.ttf")!;
        using SKData data = SKData.Create(stream);
        return SKTypeface.FromData(data);
    }
}
