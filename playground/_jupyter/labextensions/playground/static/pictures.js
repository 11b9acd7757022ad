// A JupyterLab extension: a view in a notebook that is opened again shows its picture, not "model not found".
//
// JupyterLab renders the best form of an output that it knows, and takes a widget for the best of all; where the widget
// is gone, because its kernel is, ipywidgets' renderer writes an error and no other form is tried. This lets that renderer
// try first, and where it found no widget, and a picture stands in the same output, renders the picture. What it
// wraps is each notebook's own list of renderers; it changes no file, and outputs without a picture stay as they are.
//
// It is written as the build of an extension would be: a container as of webpack's module federation, which JupyterLab
// hands its shared modules (`init`) and asks for the plugin (`get`).

(() => {
  const WIDGET = 'application/vnd.jupyter.widget-view+json';
  const PICTURE = 'image/svg+xml';
  const wrapped = new WeakSet();
  let shared = {};

  /** The factory, such that its renderers fall back to a picture. `renderers` are all that the notebook knows. */
  function withPicture(factory, renderers) {
    const createRenderer = (options) => {
      const renderer = factory.createRenderer(options);
      const render = renderer.renderModel.bind(renderer);
      renderer.renderModel = async (model) => {
        await render(model);
        const isGone = renderer.node.textContent === 'Error displaying widget: model not found';
        if (!isGone || !(PICTURE in model.data) || renderers.getFactory(PICTURE) === undefined) return;
        const picture = renderers.createRenderer(PICTURE);
        await picture.renderModel(model);
        for (const drawn of picture.node.querySelectorAll('svg, img')) Object.assign(drawn.style, { maxWidth: '100%', height: 'auto' });
        renderer.node.textContent = '';
        renderer.addWidget(picture);
      };
      return renderer;
    };
    const made = { ...factory, createRenderer };
    wrapped.add(made);
    return made;
  }

  function wrap(renderers) {
    const factory = renderers.getFactory(WIDGET);
    if (factory === undefined || wrapped.has(factory)) return;
    renderers.addFactory(withPicture(factory, renderers), -10);  // the rank that ipywidgets gives its own
  }

  async function makePlugin() {
    const [notebook] = Object.values(shared['@jupyterlab/notebook']);
    const { INotebookTracker } = (await notebook.get())();
    return {
      id: 'playground:pictures',
      description: 'Shows the picture of a view whose widget is gone.',
      autoStart: true,
      requires: [INotebookTracker],
      activate: (_app, tracker) => {
        tracker.widgetAdded.connect((_tracker, panel) => {
          const { rendermime } = panel.content;
          wrap(rendermime);
          queueMicrotask(() => wrap(rendermime));  // ipywidgets hears of a notebook before us, or just after
        });
      },
    };
  }

  window._JUPYTERLAB ??= {};
  window._JUPYTERLAB.playground = {
    init: (modules) => { shared = modules; },
    get: async () => {
      const plugin = await makePlugin();
      return () => ({ __esModule: true, default: plugin });
    },
  };
})();
