"""What the csg_inverse tests share; their finished run is in tests/conftest.py."""

HOOKS = """<post_update>scale smooth</post_update>
      <post_update_options><scale>0.5</scale><smooth><iterations>1</iterations></smooth></post_update_options>
      <post_add>convergence average copyback</post_add>
      <post_add_options>
        <average><what>pot</what></average>
        <copyback><filelist>Ar-Ar.dist.new</filelist></copyback>
      </post_add_options>"""
